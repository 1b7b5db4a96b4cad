package library

import (
	"context"
	"fmt"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// listener decides a request by a listener: the filter chain that the
// connection takes, its HTTP connection manager, and the route configuration
// that this one holds or names.
func (m *matcher) listener(c *eval.Call, l any, r routing.Request) (*routing.Answer, error) {
	port, err := mesh.Get(c.Ctx, l, "port")
	if err != nil {
		return nil, err
	}
	if n, ok := port.(int); ok && r.DestinationPort == 0 {
		r.DestinationPort = n
	}
	chain, unsupported, err := routing.Chain(c.Ctx, l, r)
	if err != nil {
		return nil, err
	}
	if unsupported != "" {
		return &routing.Answer{Unsupported: []string{unsupported}}, nil
	}
	hcm, other, err := connectionManager(c.Ctx, chain)
	if err != nil || chain == nil {
		return nil, err
	}
	if hcm == nil {
		return &routing.Answer{Unsupported: []string{"no HTTP: " + other}}, nil
	}
	rc, name, err := routesOf(c.Ctx, l, hcm)
	if err != nil {
		return nil, err
	}
	if rc == nil {
		return &routing.Answer{Unsupported: []string{"route configuration " + name}}, nil
	}
	return routing.Configuration(c.Ctx, m.regexes, rc, hcmOf(hcm, r), r)
}

const hcmType = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"

// connectionManager gives the HTTP connection manager of a filter chain; other
// names what stands in its place.
func connectionManager(ctx context.Context, chain any) (hcm map[string]any, other string, err error) {
	filters, err := get[[]any](ctx, chain, "filters")
	if err != nil {
		return nil, "", err
	}
	for _, f := range filters {
		config, err := get[map[string]any](ctx, f, "typedConfig")
		if err != nil {
			return nil, "", err
		}
		if config["@type"] == "type.googleapis.com/"+hcmType || config["httpFilters"] != nil {
			return config, "", nil
		}
		if other, err = get[string](ctx, f, "name"); err != nil {
			return nil, "", err
		}
	}
	return nil, other, nil
}

// get is a member that has to be of a type; anything else is its zero value.
func get[T any](ctx context.Context, v any, key string) (t T, err error) {
	w, err := mesh.Get(ctx, v, key)
	if err == nil {
		w, err = mesh.Force(ctx, w)
	}
	t, _ = w.(T)
	return t, err
}

// routesOf gives the route configuration of a connection manager: its own, or
// the one of that name of the listener's proxy.
func routesOf(ctx context.Context, l any, hcm map[string]any) (rc any, name string, err error) {
	if rc := hcm["routeConfig"]; rc != nil {
		return rc, "", nil
	}
	if name, err = get[string](ctx, hcm["rds"], "routeConfigName"); err != nil {
		return nil, "", err
	}
	o, ok := l.(*mesh.Object)
	if !ok || o.Owner == nil {
		return nil, "", fmt.Errorf("match: the listener's routes, %s, are its proxy's, and this is only a copy of the listener", name)
	}
	section, err := mesh.Get(ctx, o.Owner, "routes")
	if err != nil {
		return nil, name, err
	}
	routes, err := withName(ctx, section, name)
	if err != nil {
		return nil, name, err
	}
	for _, r := range routes {
		if n, err := get[string](ctx, r, "name"); err != nil || n == name {
			return r, name, err
		}
	}
	return nil, name, nil
}

// withName gives the elements of a section that have a name, and perhaps
// others.
func withName(ctx context.Context, section any, name string) ([]any, error) {
	if n, ok := section.(eval.Narrower); ok {
		if _, done := n.Forced(); !done {
			if some, ok, err := n.Narrow(ctx, mesh.Hint{By: "name", Names: []string{name}}); err != nil || ok {
				return some, err
			}
		}
	}
	all, err := mesh.Force(ctx, section)
	some, _ := all.([]any)
	return some, err
}

// hcmOf reads what a connection manager does to a request before its routes.
func hcmOf(hcm map[string]any, r routing.Request) routing.HCM {
	flag := func(key string) bool {
		b, _ := hcm[key].(bool)
		return b
	}
	m := routing.HCM{
		StripAnyHostPort: flag("stripAnyHostPort"), StripTrailingHostDot: flag("stripTrailingHostDot"),
		MergeSlashes: flag("mergeSlashes"), NormalizePath: flag("normalizePath"),
	}
	if flag("stripMatchingHostPort") {
		m.StripMatchingHostPort = r.DestinationPort
	}
	return m
}
