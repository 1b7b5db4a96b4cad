package library

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func kindNatives() []eval.Native {
	return []eval.Native{
		{Name: "_kind", Value: kind},
		{Name: "_holder", Value: func(c *eval.Call) (any, error) { return hasSections(c.Ctx, c.In) }},
		{Name: "_holders", Value: haveSections},
		{Name: "_list", Value: list},
		{Name: "_routable", Value: routable},
		{Name: "_outline", Value: outline},
		{Name: "_unknown", Arity: 2, Value: unknown},
		{Name: "_unread", Value: unread},
		{Name: "_words", Value: words},
	}
}

func kind(c *eval.Call) (any, error) {
	kind, err := document.Kind(c.Ctx, c.In)
	if kind == "" {
		return nil, err
	}
	return kind, err
}

// hasSections reports whether a value has sections: it is a proxy, or the configuration
// that istiod would send to a proxy. Lookup functions search in these sections.
func hasSections(ctx context.Context, v any) (bool, error) {
	kind, err := document.Kind(ctx, v)
	return kind == "Proxy" || kind == "Desired", err
}

// haveSections reports whether an array contains a proxy or another value with sections.
func haveSections(c *eval.Call) (any, error) {
	all, _, err := document.Elements(c.Ctx, c.In)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		if has, err := hasSections(c.Ctx, v); has || err != nil {
			return has, err
		}
	}
	return false, nil
}

// unread reports whether some elements of the input can be requested alone. That is
// possible only if the input is a section that isn't loaded yet.
func unread(c *eval.Call) (any, error) {
	_, ok := c.In.(mesh.Narrower)
	return ok, nil
}

// unknown implements the native function _unknown(section; message). It raises a fault
// with this message. The fault means that a source could be read, but doesn't contain a
// fact about a proxy or the mesh.
func unknown(c *eval.Call) (any, error) {
	r := document.NewReader(c.Ctx)
	f := &mesh.Fault{}
	if kind, err := document.Kind(c.Ctx, c.In); err != nil {
		return nil, err
	} else if kind == "Proxy" {
		if f.Proxy = r.Text(c.In, "id"); r.Err != nil {
			return nil, r.Err
		}
	}
	f.Section, _ = c.Args[0].(string)
	message, _ := c.Args[1].(string)
	f.Err = errors.New(message)
	return nil, f
}

// list returns the input if it is an array, and an empty array otherwise. If some
// elements of the input can be requested alone, list returns the input without loading
// it.
func list(c *eval.Call) (any, error) {
	if _, ok := c.In.(mesh.Narrower); ok {
		return c.In, nil
	}
	all, isArray, err := document.Elements(c.Ctx, c.In)
	if !isArray {
		return []any{}, err
	}
	return all, nil
}

// routable reports whether match, called on this input, selects routes as Envoy does. For
// any other input, match is jq's function for regular expressions.
func routable(c *eval.Call) (any, error) {
	v := c.In
	all, _, err := document.Elements(c.Ctx, v)
	if err != nil {
		return nil, err
	}
	if len(all) > 0 {
		v = all[0]
	}
	kind, err := document.Kind(c.Ctx, v)
	return kind == "RouteConfiguration" || kind == "VirtualHost" || kind == "Listener", err
}

// outline returns an object without its sections. It omits even loaded sections, so that
// the result doesn't depend on what is loaded.
func outline(c *eval.Call) (any, error) {
	v, err := mesh.Force(c.Ctx, c.In)
	m, ok := v.(*object.Object)
	if !ok || err != nil {
		return v, err
	}
	out := object.New(0)
	for k, w := range m.All() {
		if l, ok := w.(mesh.Lazy); ok {
			if _, isSection := l.(mesh.Sectional); isSection || l.Pending() {
				continue
			}
		}
		out.Set(k, w)
	}
	return out, nil
}

// words returns the sync states of a proxy, such as "SYNCED", in the order of the names
// of their types.
func words(c *eval.Call) (any, error) {
	r := document.NewReader(c.Ctx)
	types := r.Object(c.In, "sync")
	if types == nil && r.Err == nil {
		return nil, errors.New("only a proxy is synced or stale")
	}
	out := []any{}
	for _, t := range types.Sorted() {
		out = append(out, r.Get(types.Get(t), "status"))
	}
	return out, r.Err
}

// proxy implements the native function _proxy(name). It returns the one proxy that the
// name matches, or raises an error.
func proxy(c *eval.Call) (any, error) {
	name, all, err := proxiesAndName(c, "proxy")
	if err != nil {
		return nil, err
	}
	found, note, err := all.One(name)
	if note != "" && c.Note != nil {
		c.Note(note)
	}
	return found, err
}

// proxies implements the native function _proxies(name). It yields every proxy that the
// name matches.
func proxies(c *eval.Call, yield func(any) error) error {
	name, all, err := proxiesAndName(c, "proxies")
	for _, p := range all.Named(name) {
		if err := yield(p); err != nil {
			return err
		}
	}
	return err
}

func proxiesAndName(c *eval.Call, function string) (name string, all document.Proxies, err error) {
	arg, err := mesh.Force(c.Ctx, c.Args[0])
	if err != nil {
		return "", all, err
	}
	name, ok := arg.(string)
	if !ok {
		return "", all, errors.New(function + " takes a name, a string")
	}
	all, ok, err = document.ProxiesOf(c.Ctx, c.In)
	if !ok && err == nil {
		err = errors.New(function + " looks in the mesh, or in an array of proxies")
	}
	return name, all, err
}

// desired implements the native function _desired. It returns the configuration that
// istiod would send to the input, which must be a proxy.
func (d Doors) desired(c *eval.Call) (any, error) {
	o, ok := c.In.(*mesh.Object)
	if !ok || o.Kind != "Proxy" {
		return nil, errors.New("desired needs a proxy")
	}
	if d.Desired == nil {
		return nil, errors.New("desired: there is no Pilot to ask")
	}
	return d.Desired(c.Ctx, o)
}
