package library

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func proxyNatives() []eval.Native {
	return []eval.Native{
		{Name: "_proxy", Arity: 1, Value: proxy},
		{Name: "_proxies", Arity: 1, Each: proxies},
	}
}

// proxy gives the one proxy that a word means.
func proxy(c *eval.Call) (any, error) {
	word, all, names, err := roster(c, "proxy")
	if err != nil {
		return nil, err
	}
	at := mesh.Pick(word, names)
	switch {
	case len(at) == 0:
		return nil, fmt.Errorf("no proxy named %s%s", word, nearest(word, names))
	case len(at) == 1:
		return all[at[0]], nil
	case oneWorkload(at, names):
		if c.Note != nil {
			c.Note(fmt.Sprintf("%s is %d proxies; this is the first, %s", word, len(at), names[at[0]].ID))
		}
		return all[at[0]], nil
	}
	return nil, fmt.Errorf("%s is %d proxies: %s", word, len(at), listed(at, names))
}

// proxies gives each proxy that a word means.
func proxies(c *eval.Call, yield func(any) error) error {
	word, all, names, err := roster(c, "proxies")
	if err != nil {
		return err
	}
	for _, i := range mesh.Pick(word, names) {
		if err := yield(all[i]); err != nil {
			return err
		}
	}
	return nil
}

// roster gives the proxies of the input, the mesh or an array of proxies, and
// what they are called.
func roster(c *eval.Call, name string) (word string, all []any, names []mesh.Name, err error) {
	arg, err := mesh.Force(c.Ctx, c.Args[0])
	if err != nil {
		return "", nil, nil, err
	}
	word, ok := arg.(string)
	if !ok {
		return "", nil, nil, fmt.Errorf("%s takes a name, a string", name)
	}
	if all, err = proxiesIn(c.Ctx, c.In); err != nil {
		return "", nil, nil, err
	}
	if all == nil {
		return "", nil, nil, fmt.Errorf("%s looks in the mesh, or in an array of proxies", name)
	}
	names = make([]mesh.Name, len(all))
	for i, p := range all {
		if names[i], err = nameOf(c.Ctx, p); err != nil {
			return "", nil, nil, err
		}
	}
	return word, all, names, nil
}

func proxiesIn(ctx context.Context, in any) ([]any, error) {
	v, err := mesh.Force(ctx, in)
	if err != nil {
		return nil, err
	}
	if m, ok := v.(*object.Object); ok {
		if v, err = mesh.Force(ctx, m.Get("proxies")); err != nil {
			return nil, err
		}
	}
	a, _ := v.([]any)
	return a, nil
}

func nameOf(ctx context.Context, p any) (mesh.Name, error) {
	v, err := mesh.Force(ctx, p)
	if err != nil {
		return mesh.Name{}, err
	}
	m, _ := v.(*object.Object)
	text := func(key string) string {
		s, e := mesh.Force(ctx, m.Get(key))
		err = errors.Join(err, e)
		t, _ := s.(string)
		return t
	}
	n := mesh.Name{ID: text("id"), Pod: text("name"), Namespace: text("namespace"), Workload: text("workload"), ClusterID: text("clusterID"), Context: text("context")}
	return n, err
}

func oneWorkload(at []int, names []mesh.Name) bool {
	first := names[at[0]]
	for _, i := range at {
		if n := names[i]; n.Workload == "" || n.Workload != first.Workload || n.ClusterID != first.ClusterID || n.Context != first.Context || namespace(n) != namespace(first) {
			return false
		}
	}
	return true
}

func namespace(n mesh.Name) string { return strings.TrimPrefix(n.ID, n.Pod) }

// listed names the candidates, as many as fit a line.
func listed(at []int, names []mesh.Name) string {
	const most = 5
	clusters, contexts := map[string]bool{}, map[string]bool{}
	for _, i := range at {
		clusters[names[i].ClusterID] = true
		contexts[names[i].Context] = true
	}
	var ids []string
	for _, i := range at[:min(most, len(at))] {
		id := names[i].ID
		switch {
		case len(clusters) > 1:
			id = names[i].ClusterID + "/" + id
		case len(contexts) > 1:
			id = names[i].Context + "/" + id
		}
		ids = append(ids, id)
	}
	if len(at) > most {
		ids = append(ids, fmt.Sprintf("and %d more", len(at)-most))
	}
	return strings.Join(ids, ", ")
}

// nearest says which proxies the word may have meant.
func nearest(word string, names []mesh.Name) string {
	at := mesh.Near(word, names)
	if at == nil {
		return ""
	}
	return "; did you mean " + listed(at, names) + "?"
}
