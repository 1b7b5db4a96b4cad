package library

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func kindNatives() []eval.Native {
	return []eval.Native{
		{Name: "_kind", Value: func(c *eval.Call) (any, error) { return kindOf(c.Ctx, c.In) }},
		{Name: "_holder", Value: func(c *eval.Call) (any, error) { return holder(c.Ctx, c.In) }},
		{Name: "_holders", Value: holders},
		{Name: "_list", Value: list},
		{Name: "_routable", Value: routable},
		{Name: "_outline", Value: outline},
		{Name: "_unknown", Arity: 2, Value: unknown},
		{Name: "_unread", Value: unread},
		{Name: "_words", Value: words},
	}
}

// kindOf gives the kind of an object of the document, nil for anything else.
// It does not look into an object that knows its kind.
func kindOf(ctx context.Context, v any) (any, error) {
	if o, ok := v.(*mesh.Object); ok {
		return o.Kind, nil
	}
	kind, err := mesh.Get(ctx, v, "kind")
	if s, ok := kind.(string); ok {
		return s, err
	}
	return nil, err
}

// holder tells whether a value is one that sections hang in, among others of
// an array.
func holder(ctx context.Context, v any) (bool, error) {
	kind, err := kindOf(ctx, v)
	return kind == "Proxy" || kind == "Desired", err
}

// holders tells whether there is a holder in an array.
func holders(c *eval.Call) (any, error) {
	all, _, err := elements(c.Ctx, c.In)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		if is, err := holder(c.Ctx, v); is || err != nil {
			return is, err
		}
	}
	return false, nil
}

// unread tells whether the input is an array that can be asked for some of its
// elements: for that it must not be looked into before.
func unread(c *eval.Call) (any, error) {
	_, ok := c.In.(eval.Narrower)
	return ok, nil
}

// unknown is _unknown(section; message): it raises the fault that something of
// a proxy, or of the mesh, is not known though nothing failed: its source says
// nothing of it.
func unknown(c *eval.Call) (any, error) {
	f := &mesh.Fault{}
	if kind, err := kindOf(c.Ctx, c.In); err != nil {
		return nil, err
	} else if kind == "Proxy" {
		id, err := mesh.Get(c.Ctx, c.In, "id")
		if err != nil {
			return nil, err
		}
		f.Proxy, _ = id.(string)
	}
	f.Section, _ = c.Args[0].(string)
	message, _ := c.Args[1].(string)
	f.Err = errors.New(message)
	return nil, f
}

// list gives the input, if it is an array, and an empty one otherwise. What is
// unread stays so.
func list(c *eval.Call) (any, error) {
	if _, ok := c.In.(eval.Narrower); ok {
		return c.In, nil
	}
	all, isArray, err := elements(c.Ctx, c.In)
	if !isArray {
		return []any{}, err
	}
	return all, nil
}

// routable tells whether Envoy's match means something on the input: else it
// is jq's.
func routable(c *eval.Call) (any, error) {
	v := c.In
	all, _, err := elements(c.Ctx, v)
	if err != nil {
		return nil, err
	}
	if len(all) > 0 {
		v = all[0]
	}
	kind, err := kindOf(c.Ctx, v)
	return kind == "RouteConfiguration" || kind == "VirtualHost" || kind == "Listener", err
}

// elements gives the elements of an array, also of a section. An object is not
// looked into.
func elements(ctx context.Context, v any) (all []any, isArray bool, err error) {
	if _, ok := v.(*mesh.Object); ok {
		return nil, false, nil
	}
	w, err := mesh.Force(ctx, v)
	all, isArray = w.([]any)
	return all, isArray, err
}

// outline keeps what costs nothing: all but what is still to be fetched.
func outline(c *eval.Call) (any, error) {
	v, err := mesh.Force(c.Ctx, c.In)
	if err != nil {
		return nil, err
	}
	m, ok := v.(*object.Object)
	if !ok {
		return v, nil
	}
	out := object.New(0)
	for k, w := range m.All() {
		if l, ok := w.(mesh.Lazy); !ok || !fetched(l) {
			out.Set(k, w)
		}
	}
	return out, nil
}

// fetched tells whether a value is a section: something that was or would be
// asked for. The answer must not depend on whether it was.
func fetched(l mesh.Lazy) bool {
	_, section := l.(mesh.Sectional)
	return section || l.Pending()
}

// words gives the sync words of a proxy.
func words(c *eval.Call) (any, error) {
	sync, err := mesh.Get(c.Ctx, c.In, "sync")
	if err != nil {
		return nil, err
	}
	v, err := mesh.Force(c.Ctx, sync)
	if err != nil {
		return nil, err
	}
	types, ok := v.(*object.Object)
	if !ok {
		return nil, errors.New("only a proxy is synced or stale: its sync is asked")
	}
	out := []any{}
	for _, t := range types.Sorted() {
		status, err := mesh.Get(c.Ctx, types.Get(t), "status")
		if err != nil {
			return nil, err
		}
		out = append(out, status)
	}
	return out, nil
}
