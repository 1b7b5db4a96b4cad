package library

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func diffNatives(d Doors) []eval.Native {
	return []eval.Native{
		{Name: "_diff", Each: func(c *eval.Call, yield func(any) error) error { return diffProxy(d, c, yield) }},
		{Name: "_diff", Arity: 2, Each: diffValues},
		{Name: "_jsonPatch", Arity: 2, Value: jsonPatch},
	}
}

// diffProxy compares what a Pilot would send to a proxy with what that has.
func diffProxy(d Doors, c *eval.Call, yield func(any) error) error {
	o, ok := c.In.(*mesh.Object)
	if !ok || o.Kind != "Proxy" {
		return errors.New("diff is asked of a proxy; diff(a; b) compares any two values")
	}
	if d.Desired == nil {
		return errors.New("diff: there is no Pilot to ask")
	}
	desired, err := d.Desired(c.Ctx, o)
	if err != nil {
		return err
	}
	return diff.Proxies(c.Ctx, desired, o, diff.Sections(), func(s diff.Section) error {
		return eachChange(s, o, "pilot", "envoy", yield)
	})
}

func diffValues(c *eval.Call, yield func(any) error) error {
	about, _ := c.Args[1].(*mesh.Object)
	return diff.Compare(c.Ctx, c.Args[0], c.Args[1], func(s diff.Section) error {
		return eachChange(s, about.Proxy(), "a", "b", yield)
	})
}

func eachChange(s diff.Section, proxy *mesh.Object, a, b string, yield func(any) error) error {
	for _, change := range s.Changes() {
		if err := yield(Difference(change, proxy, a, b)); err != nil {
			return err
		}
	}
	return nil
}

// Difference gives the object of a change: of kind Difference, with what the
// two sides have under the names given. proxy is whose it is, nil for nobody's.
func Difference(c diff.Change, proxy *mesh.Object, a, b string) *mesh.Object {
	m := object.Of("path", diff.PathText(c.Path))
	if proxy != nil {
		m.Set("proxy", mesh.Later(func(ctx context.Context) (any, error) { return mesh.Get(ctx, proxy, "id") }))
	}
	if c.Section.Name != "" {
		m.Set("section", string(c.Section.Name))
	}
	if r := c.Resource; r != nil {
		m.Set("resourceKind", r.Kind)
		m.Set("resource", r.Name)
		setText(m, "address", r.Address)
		setText(m, "refused", r.Refused)
		if r.Warming {
			m.Set("warming", true)
		}
	}
	if len(c.Within) > 0 {
		within := make([]any, len(c.Within))
		for i, name := range c.Within {
			within[i] = name
		}
		m.Set("within", within)
	}
	setText(m, "source", c.Source)
	if c.InA {
		m.Set(a, c.A)
	}
	if c.InB {
		m.Set(b, c.B)
	}
	return mesh.NewObject("Difference", proxy, m)
}

func setText(m *object.Object, key, text string) {
	if text != "" {
		m.Set(key, text)
	}
}

// jsonPatch gives what makes the second value of the first.
func jsonPatch(c *eval.Call) (any, error) {
	out := []any{}
	err := diff.Compare(c.Ctx, c.Args[0], c.Args[1], func(s diff.Section) error {
		out = append(out, PatchOperations(s)...)
		return nil
	})
	return out, err
}

// PatchOperations gives the operations of a section's JSON Patch as values.
func PatchOperations(s diff.Section) []any {
	var out []any
	for _, op := range s.Patch() {
		m := object.Of("op", op.Op, "path", op.Path)
		if op.Op != "remove" {
			m.Set("value", op.Value)
		}
		out = append(out, m)
	}
	return out
}
