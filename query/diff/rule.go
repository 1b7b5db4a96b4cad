package diff

import (
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A realm says by whose rules a value is compared.
type realm int

const (
	plain   realm = iota // as JSON
	envoy                // as a message of Envoy's
	foreign              // as a message whose fields aren't known here: names may be in either spelling
)

// A place is where a value stands: by whose rules, and under which names.
type place struct {
	realm  realm
	name   string // of the member; a list's elements have the list's
	parent string // of the member around it
}

// member is the place of an object's member.
func (p place) member(name string) place {
	if p.realm == envoy && name == "filterMetadata" {
		return place{realm: plain}
	}
	return place{realm: p.realm, name: name, parent: p.name}
}

// inside is the place that an object's members are in: its kind or its type
// may say more than what it stands in.
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
		p.realm = plain // what is in it is data
	}
	return p
}

const (
	typeKey  = "@type"
	typeHome = "type.googleapis.com/"
)

// isEnvoys tells the types that the document's decoder knows the fields of.
func isEnvoys(url string) bool {
	name := strings.TrimPrefix(url, typeHome)
	for _, p := range []string{"envoy.", "udpa.", "xds.", "google."} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// A kindRule says what of a kind of objects is not compared, and what a null
// stands for.
type kindRule struct {
	aside map[string]bool
	nulls *object.Object
}

// kindRules are those of the kinds that are compared as Envoy reads them.
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

// leaves tells whether a member is left aside.
func (r *kindRule) leaves(name string) bool { return r != nil && r.aside[name] }

// said is what a member says.
func (r *kindRule) said(name string, v any) any {
	if v == nil && r != nil {
		return r.nulls.Get(name)
	}
	return v
}

// kindOf gives the rule of the kind that one of two objects is of, nil for
// none. Kubernetes has kinds of the same names.
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
