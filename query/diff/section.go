package diff

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Section is the result of comparing one section of two proxies, or two other values.
// Edit is nil if both sides are equal.
type Section struct {
	Name mesh.Section // name of the compared section; empty if other values were compared
	Edit *Edit
}

// Sections returns the names of the sections that [Proxies] can compare, in order. These
// are all sections that istiod sends and that Envoy shows, except secrets.
func Sections() []mesh.Section {
	return []mesh.Section{mesh.Clusters, mesh.Listeners, mesh.Routes, mesh.Endpoints, mesh.Extensions}
}

// Proxies compares the named sections of two proxies. Instead of a proxy, a may be the
// configuration that istiod would send to a proxy. Proxies passes each result to out as
// soon as it is ready, and loads no other sections. If a is istiod's configuration, the
// comparison excludes all configuration that Envoy gets from another source: static
// configuration, parts of resources that Envoy also lists separately, addresses that
// Envoy resolved, and the results of Envoy's own health checks.
func Proxies(ctx context.Context, a, b *mesh.Object, names []mesh.Section, out func(Section) error) error {
	for _, name := range names {
		c := newComparing(ctx, a, b)
		x, y, err := both(ctx, a, b, name)
		if err != nil {
			return err
		}
		e, err := c.elements(x, y)
		if err != nil {
			return err
		}
		if err := out(Section{name, e}); err != nil {
			return err
		}
	}
	return nil
}

// Compare compares any two values. If both are proxies, it compares their sections, as
// [Proxies] does. If both are arrays of resources, such as clusters or listeners, it
// pairs the elements by name.
func Compare(ctx context.Context, a, b any, out func(Section) error) error {
	x, isA := sectionOwner(a)
	y, isB := sectionOwner(b)
	if isA && isB {
		return Proxies(ctx, x, y, Sections(), out)
	}
	e, err := compare(ctx, a, b)
	if err != nil {
		return err
	}
	return out(Section{Edit: e})
}

func compare(ctx context.Context, a, b any) (*Edit, error) {
	for _, v := range []any{a, b} {
		if o, ok := v.(*mesh.Object); ok && o.Kind == "Mesh" {
			return nil, fmt.Errorf("diff: a mesh is not compared at once: compare its proxies, or their sections")
		}
	}
	x, listA, err := namedElements(ctx, a)
	if err != nil {
		return nil, err
	}
	y, listB, err := namedElements(ctx, b)
	if err != nil {
		return nil, err
	}
	if listA && listB && len(x)+len(y) > 0 {
		return newComparing(ctx, ownerOf(x), ownerOf(y)).elements(x, y)
	}
	v, err := settle(ctx, a)
	if err != nil {
		return nil, err
	}
	w, err := settle(ctx, b)
	if err != nil || equal(v, w, location{}) {
		return nil, err
	}
	e := build(v, w, location{})
	if kind := kindName(a); kindRules()[kind] != nil && kind == kindName(b) {
		e.Resource = &Resource{Kind: kind, Name: textAt(v, "name")}
	}
	return &e, nil
}

// sectionOwner returns v if v is an object with sections, such as a proxy.
func sectionOwner(v any) (*mesh.Object, bool) {
	o, ok := v.(*mesh.Object)
	return o, ok && (o.Kind == "Proxy" || o.Kind == "Desired")
}

// namedKinds lists the kinds of objects that have unique names in a section.
var namedKinds = []string{"Cluster", "Listener", "RouteConfiguration", "ExtensionConfig", "Endpoint", "VirtualHost", "Secret"}

// namedElements returns the elements of an array. ok is false if an element is of a kind
// without unique names.
func namedElements(ctx context.Context, v any) (list []any, ok bool, err error) {
	if _, ok := v.(*mesh.Object); ok {
		return nil, false, nil
	}
	v, err = mesh.Force(ctx, v)
	list, ok = v.([]any)
	if err != nil || !ok {
		return nil, false, err
	}
	return list, !slices.ContainsFunc(list, func(e any) bool { return !slices.Contains(namedKinds, kindName(e)) }), nil
}

func kindName(v any) string {
	switch x := v.(type) {
	case *mesh.Object:
		return x.Kind
	case *object.Object:
		return textAt(x, "kind")
	}
	return ""
}

// newComparing prepares the comparison of two lists that belong to the objects a and b. a
// or b is nil if the list belongs to no object.
func newComparing(ctx context.Context, a, b *mesh.Object) *comparing {
	c := &comparing{ctx: ctx}
	sentA, sentB := a != nil && a.Kind == "Desired", b != nil && b.Kind == "Desired"
	switch {
	case sentA && !sentB && b != nil:
		c.sentA = a
	case sentB && !sentA && a != nil:
		c.sentB = b
	}
	return c
}

// ownerOf returns the object, such as a proxy, that the elements of a list belong to.
func ownerOf(list []any) *mesh.Object {
	if len(list) > 0 {
		if o, ok := list[0].(*mesh.Object); ok {
			return o.Owner
		}
	}
	return nil
}

// both loads the same section of two objects concurrently, because the objects are
// usually loaded from different servers.
func both(ctx context.Context, a, b *mesh.Object, name mesh.Section) (x, y []any, err error) {
	var other errgroup.Group
	other.Go(func() (err error) {
		y, err = section(ctx, b, name)
		return err
	})
	x, err = section(ctx, a, name)
	if e := other.Wait(); err == nil {
		err = e
	}
	return x, y, err
}

func section(ctx context.Context, o *mesh.Object, name mesh.Section) ([]any, error) {
	fields, err := o.Fields(ctx)
	if err != nil {
		return nil, err
	}
	v, ok := fields.Lookup(string(name))
	if !ok {
		return nil, fmt.Errorf("diff: %s has no %s", o.Kind, name)
	}
	v, err = mesh.Force(ctx, v)
	list, _ := v.([]any)
	return list, err
}
