package diff

import (
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// realm says by which rules a value is compared.
type realm int

const (
	plain   realm = iota // exactly, as JSON
	envoy                // as a message of Envoy
	foreign              // as a message of an unknown type: field names may be in camelCase or snake_case
)

// place says where a value is in the document, which decides how it is
// compared.
type place struct {
	realm  realm
	name   string // the field that holds the value; list elements have the name of their list
	parent string // the field that holds the enclosing object
}

// member returns the place of an object's field.
func (p place) member(name string) place {
	if p.realm == envoy && name == "filterMetadata" {
		return place{realm: plain}
	}
	return place{realm: p.realm, name: name, parent: p.name}
}

// inside returns the place of an object, adjusted by the object's kind or type.
func (p place) inside(a, b *object.Object) place {
	if k := kindOf(a, b); k != nil {
		p.realm = envoy
		return p
	}
	if p.realm == plain {
		return p
	}
	url, ok := a.Get(typeKey).(string)
	if !ok {
		url, _ = b.Get(typeKey).(string)
	}
	switch {
	case url == "":
	case isEnvoys(url):
		p.realm = envoy
	default:
		p.realm = foreign
	}
	if strings.HasSuffix(url, ".TypedStruct") {
		p.realm = plain // a TypedStruct contains plain data
	}
	return p
}

const (
	typeKey  = "@type"
	typeHome = "type.googleapis.com/"
)

// isEnvoys reports whether the document's decoder knows the fields of a type.
func isEnvoys(url string) bool {
	name := strings.TrimPrefix(url, typeHome)
	for _, p := range []string{"envoy.", "udpa.", "xds.", "google."} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// kindRule says which fields of a kind are not compared, and which values its
// nulls mean.
type kindRule struct {
	aside map[string]bool
	nulls *object.Object
}

// kindRules holds the rules of the kinds that are compared as Envoy reads them.
var kindRules = sync.OnceValue(func() map[string]*kindRule {
	rules := map[string]*kindRule{}
	for _, k := range mesh.Kinds() {
		r := &kindRule{aside: map[string]bool{"kind": true}}
		switch {
		case k.Message != "":
			for _, f := range k.Fields {
				r.aside[f.Name] = true
			}
		case k.Name == "Endpoint":
			r.nulls = object.Of("weight", 1, "priority", 0, "health", "UNKNOWN")
			r.leave("outlier", "stats")
		case k.Name == "Secret":
			r.leave("state", "valid", "versionInfo", "lastUpdated")
		default:
			continue
		}
		rules[k.Name] = r
	}
	return rules
})

func (r *kindRule) leave(names ...string) {
	for _, name := range names {
		r.aside[name] = true
	}
}

// leaves reports whether a field is excluded from the comparison.
func (r *kindRule) leaves(name string) bool { return r != nil && r.aside[name] }

// said returns a field's value, with null replaced by the value that it means.
func (r *kindRule) said(name string, v any) any {
	if v == nil && r != nil {
		return r.nulls.Get(name)
	}
	return v
}

// kindOf returns the rule for the kind of one of two objects, or nil if there
// is none. An object with an apiVersion is one of Kubernetes, which has kinds
// of the same names.
func kindOf(a, b *object.Object) *kindRule {
	for _, m := range [...]*object.Object{a, b} {
		if name, ok := m.Get("kind").(string); ok && !has(m, "apiVersion") {
			if r := kindRules()[name]; r != nil {
				return r
			}
		}
	}
	return nil
}
