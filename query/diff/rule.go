package diff

import (
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// ruleSet selects the rules by which a value is compared.
type ruleSet int

const (
	plain   ruleSet = iota // exactly, as JSON
	envoy                  // as a message of Envoy
	foreign                // as a message of an unknown type, whose field names may be in camelCase or snake_case
)

// location describes where a value is in the document. The location decides how
// the value is compared.
type location struct {
	rules  ruleSet
	name   string // the field that holds the value; list elements have the name of their list
	parent string // the field that holds the enclosing object
}

// member returns the location of an object's field.
func (p location) member(name string) location {
	if p.rules == envoy && name == "filterMetadata" {
		return location{rules: plain}
	}
	return location{rules: p.rules, name: name, parent: p.name}
}

// inside returns the location of the members of an object, which depends on the
// object's kind or type.
func (p location) inside(a, b *object.Object) location {
	if k := kindOf(a, b); k != nil {
		p.rules = envoy
		return p
	}
	if p.rules == plain {
		return p
	}
	url, ok := a.Get(typeKey).(string)
	if !ok {
		url, _ = b.Get(typeKey).(string)
	}
	switch {
	case url == "":
	case isKnownType(url):
		p.rules = envoy
	default:
		p.rules = foreign
	}
	if strings.HasSuffix(url, ".TypedStruct") {
		p.rules = plain // a TypedStruct contains plain data
	}
	return p
}

const (
	typeKey  = "@type"
	typeHome = "type.googleapis.com/"
)

// isKnownType reports whether the document's decoder knows the fields of a
// type.
func isKnownType(url string) bool {
	name := strings.TrimPrefix(url, typeHome)
	for _, p := range []string{"envoy.", "udpa.", "xds.", "google."} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// kindRule lists the fields of a kind that are not compared, and the values that a
// null in its fields means.
type kindRule struct {
	excluded map[string]bool
	nulls    *object.Object
}

// kindRules holds the rules of the kinds that are compared as Envoy reads them.
var kindRules = sync.OnceValue(func() map[string]*kindRule {
	rules := map[string]*kindRule{}
	for _, k := range mesh.Kinds() {
		r := &kindRule{excluded: map[string]bool{"kind": true}}
		switch {
		case k.Message != "":
			for _, f := range k.Fields {
				r.excluded[f.Name] = true
			}
		case k.Name == "Endpoint":
			r.nulls = object.Of("weight", 1, "priority", 0, "health", "UNKNOWN")
			r.exclude("outlier", "stats")
		case k.Name == "Secret":
			r.exclude("state", "valid", "versionInfo", "lastUpdated")
		default:
			continue
		}
		rules[k.Name] = r
	}
	return rules
})

func (r *kindRule) exclude(names ...string) {
	for _, name := range names {
		r.excluded[name] = true
	}
}

// excludes reports whether a field is excluded from the comparison.
func (r *kindRule) excludes(name string) bool { return r != nil && r.excluded[name] }

// effective returns the value of a field. It replaces null by the value that null
// means in that field.
func (r *kindRule) effective(name string, v any) any {
	if v == nil && r != nil {
		return r.nulls.Get(name)
	}
	return v
}

// kindOf returns the rule for the kind of one of two objects, or nil if there is
// no rule. It returns nil for an object with an apiVersion: that is a Kubernetes
// object, and Kubernetes has kinds of the same names.
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
