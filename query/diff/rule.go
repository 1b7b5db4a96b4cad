package diff

import (
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// ruleSet selects the rules for comparing a value.
type ruleSet int

const (
	plain   ruleSet = iota // exactly, as JSON
	envoy                  // as an Envoy message
	foreign                // as a message of unknown type, whose field names may be in camelCase or snake_case
)

// location describes where a value is in the document, which determines how the value is
// compared.
type location struct {
	rules  ruleSet
	name   string // field that contains the value; for a list element, the field that contains the list
	parent string // field that contains the enclosing object
}

// member returns the location of a field of an object.
func (p location) member(name string) location {
	if p.rules == envoy && name == "filterMetadata" {
		return location{rules: plain}
	}
	return location{rules: p.rules, name: name, parent: p.name}
}

// inside returns the location of an object's members. It depends on the kind or type of
// the object.
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

// isKnownType reports whether the document's decoder knows the fields of a protobuf type.
func isKnownType(url string) bool {
	name := strings.TrimPrefix(url, typeHome)
	for _, p := range []string{"envoy.", "udpa.", "xds.", "google."} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// kindRule lists the fields of a kind of object that are not compared, and what null
// means in the other fields.
type kindRule struct {
	excluded map[string]bool
	nulls    *object.Object
}

// kindRules contains the rules for the kinds of objects that are compared by their
// meaning to Envoy.
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

// effective returns the value of a field. If the value is null, it returns what null
// means in that field.
func (r *kindRule) effective(name string, v any) any {
	if v == nil && r != nil {
		return r.nulls.Get(name)
	}
	return v
}

// kindOf returns the rule for the kind of two objects, or nil if there is none. An object
// with an apiVersion has no rule: it is a Kubernetes object, and Kubernetes has kinds
// with the same names.
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
