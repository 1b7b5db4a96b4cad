package library

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
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
	taken, err := routing.Chain(c.Ctx, m.cache, envoyOf(c.Ctx, l), l, r, routing.Seen{})
	if err != nil {
		return nil, err
	}
	if taken.Unsupported != "" {
		return &routing.Answer{Unsupported: []string{taken.Unsupported}}, nil
	}
	hcm, other, err := connectionManager(c.Ctx, taken.Chain)
	if err != nil || taken.Chain == nil {
		return nil, err
	}
	if refused, _, err := certified(c.Ctx, taken.Chain, &r); err != nil || refused {
		return nil, err
	}
	if hcm == nil {
		return &routing.Answer{Unsupported: []string{"no HTTP: " + other}}, nil
	}
	at, err := m.routesOf(c.Ctx, l, hcm, r)
	if err != nil {
		return nil, err
	}
	if at.configuration == nil {
		if at.unsupported == "" { // no scope has the request
			return nil, nil
		}
		return &routing.Answer{Unsupported: []string{at.unsupported}}, nil
	}
	how, err := hcmOf(c.Ctx, l, hcm, r)
	if err != nil {
		return nil, err
	}
	return routing.Configuration(c.Ctx, m.cache, at.configuration, how, r)
}

// connectionManager gives the HTTP connection manager of a filter chain; other
// names what stands in its place.
func connectionManager(ctx context.Context, chain any) (hcm *object.Object, other string, err error) {
	filters, err := get[[]any](ctx, chain, "filters")
	if err != nil {
		return nil, "", err
	}
	for _, f := range filters {
		config, err := get[*object.Object](ctx, f, "typedConfig")
		if err != nil {
			return nil, "", err
		}
		if kind, _ := config.Get("@type").(string); strings.HasSuffix(kind, "HttpConnectionManager") || config.Get("httpFilters") != nil {
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

// routesAt is where a connection manager's routes are.
type routesAt struct {
	configuration any
	name          string // of the configuration; empty for one of its own
	unsupported   string // what keeps it from being found
}

// routesOf gives the route configuration of a connection manager: its own, the
// one of that name of the listener's proxy, or the one of the request's scope.
func (m *matcher) routesOf(ctx context.Context, l any, hcm *object.Object, r routing.Request) (at routesAt, err error) {
	if rc := hcm.Get("routeConfig"); rc != nil {
		at.name, err = get[string](ctx, rc, "name")
		at.configuration = rc
		return at, err
	}
	if hcm.Get("scopedRoutes") != nil {
		scope, why, err := routing.Scope(ctx, m.cache, envoyOf(ctx, l), hcm.Get("scopedRoutes"), r)
		if err != nil || why != "" || scope == nil {
			return routesAt{unsupported: why}, err
		}
		if rc, err := mesh.Get(ctx, scope, "routeConfiguration"); err != nil || rc != nil {
			return routesAt{configuration: rc}, err
		}
		at.name, err = get[string](ctx, scope, "routeConfigurationName")
		if err != nil {
			return at, err
		}
	} else if at.name, err = get[string](ctx, hcm.Get("rds"), "routeConfigName"); err != nil {
		return at, err
	}
	o, ok := l.(*mesh.Object)
	if !ok || o.Owner == nil {
		return at, fmt.Errorf("match: the listener's routes, %s, are its proxy's, and this is only a copy of the listener", at.name)
	}
	at.configuration, err = named(ctx, o.Owner, "routes", at.name)
	if err == nil && at.configuration == nil {
		at.unsupported = "route configuration " + at.name
	}
	return at, err
}

// named gives the element of a section that has a name, the one in use where
// there are several; nil where there is none.
func named(ctx context.Context, owner *mesh.Object, section, name string) (any, error) {
	v, err := mesh.Get(ctx, owner, section)
	if err != nil {
		return nil, err
	}
	some, err := narrowed(ctx, v, mesh.Hint{By: "name", Names: []string{name}})
	if err != nil {
		return nil, err
	}
	for _, e := range some {
		if n, err := get[string](ctx, e, "name"); err != nil || n != name {
			if err != nil {
				return nil, err
			}
			continue
		}
		if used, err := inUse(ctx, e); err != nil || used {
			return e, err
		}
	}
	return nil, nil
}

// inUse tells whether Envoy uses an element of a section.
func inUse(ctx context.Context, e any) (bool, error) {
	state, err := get[string](ctx, e, "state")
	return state == "" || state == "ACTIVE" || state == "STATIC", err
}

// narrowed gives the elements of a section that a hint wants, and perhaps
// others.
func narrowed(ctx context.Context, section any, h mesh.Hint) ([]any, error) {
	if n, ok := section.(eval.Narrower); ok {
		if _, done := n.Forced(); !done {
			if some, ok, err := n.Narrow(ctx, h); err != nil || ok {
				return some, err
			}
		}
	}
	all, err := mesh.Force(ctx, section)
	some, _ := all.([]any)
	return some, err
}
