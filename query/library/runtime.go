package library

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// envoyOf gives what is known of the Envoy that a value is of. What is no
// Envoy's is decided by the newest rules.
func envoyOf(ctx context.Context, v any) routing.Envoy {
	o, ok := v.(*mesh.Object)
	if !ok || o.Proxy() == nil {
		return routing.Envoy{}
	}
	return routing.Envoy{Version: func() string { return versionOf(ctx, o.Proxy()) }, Runtime: runtimeOf(ctx, v)}
}

// versionOf gives the version of an Envoy, "1.40.0", or "1.40.0-dev" of a build
// between releases: as its /server_info has it, else its bootstrap. Empty: it
// isn't known.
func versionOf(ctx context.Context, proxy *mesh.Object) string {
	if server, err := mesh.Get(ctx, proxy, "server"); err == nil {
		if text, err := get[string](ctx, server, "version"); err == nil { // "5ab1…/1.40.0/Clean/RELEASE/BoringSSL"
			if words := strings.Split(text, "/"); len(words) > 1 {
				return words[1]
			}
		}
	}
	build, err := mesh.Get(ctx, proxy, "bootstrap")
	for _, key := range []string{"node", "userAgentBuildVersion"} {
		if err != nil {
			return ""
		}
		build, err = mesh.Get(ctx, build, key)
	}
	v, err := mesh.Deep(ctx, build)
	if err != nil {
		return ""
	}
	m, _ := v.(*object.Object)
	number, _ := m.Get("version").(*object.Object)
	if number.Get("majorNumber") == nil {
		return ""
	}
	part := func(key string) any { // protojson leaves out a 0
		if n := number.Get(key); n != nil {
			return n
		}
		return 0
	}
	text := fmt.Sprintf("%v.%v.%v", number.Get("majorNumber"), part("minorNumber"), part("patch"))
	if about, _ := m.Get("metadata").(*object.Object); about.Get("build.label") != nil && about.Get("build.label") != "" {
		text += fmt.Sprintf("-%v", about.Get("build.label"))
	}
	return text
}

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
			layer, err := get[*object.Object](ctx, l, "staticLayer")
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
	fields, _ := v.(*object.Object)
	if err != nil || fields == nil {
		return nil, err
	}
	if v := fields.Get(key); v != nil {
		return mesh.Force(ctx, v)
	}
	for at := range key {
		if key[at] != '.' {
			continue
		}
		v, err := keyed(ctx, fields.Get(key[:at]), strings.TrimPrefix(key[at:], "."))
		if err != nil || v != nil {
			return v, err
		}
	}
	return nil, nil
}
