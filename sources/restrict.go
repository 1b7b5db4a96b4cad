package sources

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// restrict keeps the rows that the options ask for. The error is of a word
// that names none of them.
func (o *Options) restrict(rows []*row) ([]*row, error) {
	rows = slices.DeleteFunc(rows, func(r *row) bool {
		return o.Namespace != "" && r.namespace() != o.Namespace || o.Revision != "" && r.link == nil && r.revision() != o.Revision || o.Selector != nil && !o.Selector.Matches(labelSet(r.labels()))
	})
	if len(o.Proxies) == 0 {
		return rows, nil
	}
	names := make([]mesh.Name, len(rows))
	for i, r := range rows {
		names[i] = mesh.Name{ID: r.id, Pod: r.name(), Namespace: r.namespace(), Workload: r.workload(), ClusterID: r.clusterID, Context: r.home.context}
	}
	keep := make([]bool, len(rows))
	for _, word := range o.Proxies {
		at := mesh.Pick(word, names)
		if at == nil {
			return nil, o.none(word, names)
		}
		for _, i := range at {
			keep[i] = true
		}
	}
	var out []*row
	for i, r := range rows {
		if keep[i] {
			out = append(out, r)
		}
	}
	return out, nil
}

// none says that a word names no proxy, and which it may have meant.
func (o *Options) none(word string, names []mesh.Name) error {
	const most = 5
	text := "no proxy named " + word
	if o.Namespace != "" {
		text += " in namespace " + o.Namespace
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

// An UnknownProxyError is of a word in Options.Proxies that names no proxy.
type UnknownProxyError struct {
	Word string
	text string
}

func (e *UnknownProxyError) Error() string { return e.text }

// labelSet gives labels as a selector reads them.
func labelSet(m *object.Object) labels.Set {
	set := labels.Set{}
	for k, v := range m.All() {
		if s, ok := v.(string); ok {
			set[k] = s
		}
	}
	return set
}
