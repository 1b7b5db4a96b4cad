package trace

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// envoyOf returns the version and the runtime of the Envoy that a value of the
// document belongs to. For a value that belongs to no Envoy, the rules of the
// newest version apply.
func envoyOf(ctx context.Context, v any) routing.Envoy {
	o, ok := v.(*mesh.Object)
	if !ok || o.Proxy() == nil {
		return routing.Envoy{}
	}
	return routing.Envoy{Version: func() string { return versionOf(ctx, o.Proxy()) }, Runtime: runtimeOf(ctx, o.Proxy())}
}

// versionOf returns the version of an Envoy from its /server_info, or else from its
// bootstrap: "1.40.0", or "1.40.0-dev" for a build between releases. It returns an
// empty string if neither can be read.
func versionOf(ctx context.Context, proxy *mesh.Object) string {
	server := document.NewReader(ctx)
	if words := strings.Split(server.Text(proxy, "server", "version"), "/"); len(words) > 1 { // example: "5ab1…/1.40.0/Clean/RELEASE/BoringSSL"
		return words[1]
	}
	r := document.NewReader(ctx)
	build := r.Message(r.Deep(r.Get(proxy, "bootstrap", "node", "userAgentBuildVersion")))
	number := build.Sub("version")
	if r.Err != nil || !number.Has("majorNumber") {
		return ""
	}
	version := fmt.Sprintf("%d.%d.%d", number.Number("majorNumber"), number.Number("minorNumber"), number.Number("patch"))
	if label := build.Sub("metadata").Value("build.label"); label != nil && label != "" {
		version += fmt.Sprintf("-%v", label)
	}
	return version
}

// runtimeOf returns a function that looks up keys of an Envoy's runtime in its
// bootstrap. It doesn't see values that were set over the admin port. If the
// bootstrap has a layer that Envoy reads from elsewhere, no value is known.
func runtimeOf(ctx context.Context, proxy *mesh.Object) func(key string) (v any, known bool) {
	return func(key string) (any, bool) {
		r := document.NewReader(ctx)
		var found any
		for _, l := range r.List(proxy, "bootstrap", "layeredRuntime", "layers") { // later layers of the runtime override earlier ones
			layer := r.Object(l, "staticLayer")
			if layer == nil && l != nil {
				if r.Get(l, "adminLayer") == nil {
					return nil, false
				}
				continue
			}
			if v := runtimeValue(r, layer, key); v != nil {
				found = v
			}
		}
		if r.Err != nil {
			return nil, false
		}
		return found, true
	}
}

// runtimeValue returns the value of a key like "a.b.c" in a layer, or nil if there
// is none. The parts of a key may also be the names of nested objects.
func runtimeValue(r *document.Reader, layer *object.Object, key string) any {
	if v := r.Force(layer.Get(key)); v != nil {
		return v
	}
	for at := range key {
		if key[at] != '.' {
			continue
		}
		if v := runtimeValue(r, r.Object(layer.Get(key[:at])), key[at+1:]); v != nil {
			return v
		}
	}
	return nil
}
