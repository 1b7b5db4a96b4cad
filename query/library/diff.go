package library

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// diffProxy implements the native function _diff. It compares the configuration that
// istiod would send to a proxy with the configuration that the proxy has.
func (d Doors) diffProxy(c *eval.Call, yield func(any) error) error {
	o, ok := c.In.(*mesh.Object)
	if !ok || o.Kind != "Proxy" {
		return errors.New("diff needs a proxy; diff(a; b) compares any two values")
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

// Difference returns a change as an object of kind Difference. a and b are the member
// names for the values of the two sides. proxy is the proxy that the change belongs to,
// or nil if there is none.
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
		within := []any{}
		for _, name := range c.Within {
			within = append(within, name)
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

// jsonPatch implements the native function _jsonPatch(a; b). It returns the JSON Patch
// operations that change a into b.
func jsonPatch(c *eval.Call) (any, error) {
	out := []any{}
	err := diff.Compare(c.Ctx, c.Args[0], c.Args[1], func(s diff.Section) error {
		out = append(out, PatchOperations(s)...)
		return nil
	})
	return out, err
}

// PatchOperations returns the JSON Patch operations of a section as values for a query.
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
