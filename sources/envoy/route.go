package envoy

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

var routeCatalog = catalog{
	section: mesh.Routes, kind: "RoutesConfigDump",
	lists: []list{{"staticRouteConfigs", stateStatic}, {"dynamicRouteConfigs", stateActive}},
	field: "routeConfig", name: "name",
	// They are few, and nearly all of one are its virtual hosts: to come back to
	// it, or to these, is to read all of them again.
	inside: &decode.Node{Shallow: true, Fields: []decode.Field{{Name: "virtualHosts", Node: &decode.Node{Elem: &decode.Node{Raw: true}}}}},
	eager:  true, written: true,
	facts: []string{"virtualHosts"},
}

func (p *Proxy) routes(ctx context.Context) (any, error) {
	all, err := p.resources(ctx, routeCatalog)
	if err != nil {
		return nil, err
	}
	return p.objects(&routeCatalog, "RouteConfiguration", all, p.routeConfigurationFields), nil
}

func (p *Proxy) routeConfigurationFields(r *resource) *object.Object {
	m := r.document(0)
	if hosts, ok := m.Lookup("virtualHosts"); ok {
		m.Set("virtualHosts", p.each(hosts, func(v any) any { return p.virtualHost(v, r.name) }))
	}
	return m
}

// virtualHost makes the object of a virtual host: Envoy's own, with the name of
// what it is in.
func (p *Proxy) virtualHost(v any, routeConfiguration string) *mesh.Object {
	return p.inside("VirtualHost", v, []string{"routeConfiguration", "routes"}, func(m *object.Object) {
		m.Set("routeConfiguration", routeConfiguration)
		if routes, ok := m.Lookup("routes"); ok {
			name := text(m, "name")
			m.Set("routes", p.each(routes, func(v any) any { return p.route(v, routeConfiguration, name) }))
		}
	})
}

// route makes the object of a route. destinations is there for any route, and
// empty where it ends in Envoy.
func (p *Proxy) route(v any, routeConfiguration, virtualHost string) *mesh.Object {
	return p.inside("Route", v, []string{"routeConfiguration", "virtualHost", "virtualService", "destinations"}, func(m *object.Object) {
		m.Set("routeConfiguration", routeConfiguration)
		m.Set("virtualHost", virtualHost)
		m.Set("virtualService", origin(m.Get("metadata")))
		m.Set("destinations", p.destinations(m.Get("route")))
	})
}

// each makes an array of another, element by element, when it is looked at.
func (p *Proxy) each(v any, of func(any) any) any {
	return mesh.Later(func(ctx context.Context) (any, error) {
		v, err := mesh.Force(ctx, v)
		a, ok := v.([]any)
		if err != nil || !ok {
			return v, err
		}
		out := make([]any, len(a))
		for i, w := range a {
			out[i] = of(w)
		}
		p.told(costElement * int64(len(out)))
		return out, nil
	})
}

// destinations lists the clusters that a route's action sends to, with their
// weights as Envoy has them; the one cluster of a plain route weighs 100. The
// cluster is null where a header names it.
func (p *Proxy) destinations(action any) any {
	if action == nil {
		return []any{}
	}
	return mesh.Later(func(ctx context.Context) (any, error) {
		v, err := mesh.Force(ctx, action)
		if err != nil {
			return nil, err
		}
		m, _ := v.(*object.Object)
		weighted, err := mesh.Get(ctx, m.Get("weightedClusters"), "clusters")
		if err != nil {
			return nil, err
		}
		all, err := elements(ctx, weighted)
		if err != nil {
			return nil, err
		}
		out := []any{}
		for _, w := range all {
			w, err := mesh.Force(ctx, w)
			if err != nil {
				return nil, err
			}
			c, _ := w.(*object.Object)
			out = append(out, destination(c.Get("name"), c.Get("weight")))
		}
		if m.Get("cluster") != nil || m.Get("clusterHeader") != nil {
			out = append(out, destination(m.Get("cluster"), 100))
		}
		p.told((costFact + decode.ObjectCost(2)) * int64(len(out)))
		return out, nil
	})
}

// destination is one of them. A weight that isn't written is 0.
func destination(cluster, weight any) *object.Object {
	if weight == nil {
		weight = 0
	}
	return object.Of("cluster", cluster, "weight", weight)
}
