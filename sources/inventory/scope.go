package inventory

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// restrict returns the proxies in the scope. The error is an
// *UnknownProxyError.
func (s *Scope) restrict(all []*Proxy) ([]*Proxy, error) {
	all = slices.DeleteFunc(all, func(p *Proxy) bool {
		return s.Namespace != "" && p.Namespace() != s.Namespace ||
			s.Revision != "" && p.Link == nil && p.Revision() != s.Revision ||
			s.Selector != nil && !s.Selector.Matches(labelSet(p.Labels()))
	})
	if len(s.Proxies) == 0 {
		return all, nil
	}
	names := make([]mesh.Name, len(all))
	for i, p := range all {
		names[i] = mesh.Name{ID: p.ID, Pod: p.Name(), Namespace: p.Namespace(), Workload: p.Workload(), ClusterID: p.ClusterID, Context: p.Home.Context}
	}
	keep := map[int]bool{}
	for _, word := range s.Proxies {
		at := mesh.Pick(word, names)
		if at == nil {
			return nil, s.unknownProxy(word, names)
		}
		for _, i := range at {
			keep[i] = true
		}
	}
	var out []*Proxy
	for i, p := range all {
		if keep[i] {
			out = append(out, p)
		}
	}
	return out, nil
}

// unknownProxy returns the error for a word that selects no proxy. The error
// suggests similar names.
func (s *Scope) unknownProxy(word string, names []mesh.Name) error {
	const most = 5
	text := "no proxy named " + word
	if s.Namespace != "" {
		text += " in namespace " + s.Namespace
	}
	var near []string
	for _, i := range mesh.Near(word, names) {
		near = append(near, names[i].ID)
	}
	if more := len(near) - most; more > 0 {
		near = append(near[:most], fmt.Sprintf("and %d more", more))
	}
	if near != nil {
		text += "; did you mean " + strings.Join(near, ", ") + "?"
	}
	return &UnknownProxyError{Word: word, text: text}
}

// An UnknownProxyError reports a word in Scope.Proxies that selects no proxy.
type UnknownProxyError struct {
	Word string
	text string
}

func (e *UnknownProxyError) Error() string { return e.text }

// labelSet returns labels in the form that a selector accepts.
func labelSet(m *object.Object) labels.Set {
	set := labels.Set{}
	for k, v := range m.All() {
		if s, ok := v.(string); ok {
			set[k] = s
		}
	}
	return set
}
