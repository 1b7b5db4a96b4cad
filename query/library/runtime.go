package library

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// runtimeOf gives the values of the runtime of the Envoy that a value is of, as
// far as its bootstrap says them: what is set while it runs, over its admin
// port, is not seen here. Where other layers are read from elsewhere no value
// is known. Nil where the value is no Envoy's.
func runtimeOf(ctx context.Context, v any) func(string) (any, bool) {
	o, ok := v.(*mesh.Object)
	if !ok || o.Proxy() == nil {
		return nil
	}
	proxy := o.Proxy()
	return func(key string) (any, bool) {
		layers, err := runtimeLayers(ctx, proxy)
		if err != nil {
			return nil, false
		}
		var found any
		for _, l := range layers { // the later go before the earlier
			layer, err := get[map[string]any](ctx, l, "staticLayer")
			if err != nil {
				return nil, false
			}
			if layer == nil && l != nil {
				if admin, err := mesh.Get(ctx, l, "adminLayer"); err != nil || admin == nil {
					return nil, false
				}
				continue
			}
			v, err := keyed(ctx, layer, key)
			if err != nil {
				return nil, false
			}
			if v != nil {
				found = v
			}
		}
		return found, true
	}
}

func runtimeLayers(ctx context.Context, proxy *mesh.Object) ([]any, error) {
	bootstrap, err := mesh.Get(ctx, proxy, "bootstrap")
	if err != nil {
		return nil, err
	}
	layered, err := mesh.Get(ctx, bootstrap, "layeredRuntime")
	if err != nil {
		return nil, err
	}
	return get[[]any](ctx, layered, "layers")
}

// keyed gives the value of a key like "a.b.c", whose parts may be the names of
// objects within one another; nil for none.
func keyed(ctx context.Context, layer any, key string) (any, error) {
	v, err := mesh.Force(ctx, layer)
	fields, _ := v.(map[string]any)
	if err != nil || fields == nil {
		return nil, err
	}
	if v := fields[key]; v != nil {
		return mesh.Force(ctx, v)
	}
	for at := range key {
		if key[at] != '.' {
			continue
		}
		v, err := keyed(ctx, fields[key[:at]], strings.TrimPrefix(key[at:], "."))
		if err != nil || v != nil {
			return v, err
		}
	}
	return nil, nil
}
