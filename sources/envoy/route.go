package envoy

import (
	"context"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

var routeCatalog = catalog{
	section: mesh.Routes, part: "RoutesConfigDump",
	lists: []list{{"staticRouteConfigs", stateStatic}, {"dynamicRouteConfigs", stateActive}},
	field: "routeConfig", name: "name",
	// The virtual hosts are decoded at once, because a route configuration
	// consists mostly of them: decoding them later would read almost the whole
	// section again.
	inside: &decode.Node{Shallow: true, Fields: []decode.Field{{Name: "virtualHosts", Node: &decode.Node{Elem: &decode.Node{Raw: true}}}}},
	eager:  true, written: true,
	make: routeConfigurationFields, replaced: []string{"virtualHosts"},
	masked: &masked{ // a query for virtual hosts requests the whole section, because it consists almost only of them
		list: 1, others: "static_route_configs",
		always:  "last_updated,error_state",
		message: "envoy.config.route.v3.RouteConfiguration",
	},
}

var (
	virtualHostFields = ourFields("VirtualHost", "routes")
	routeFields       = ourFields("Route")
)

// routeConfigurationFields returns the fields of a route configuration.
func routeConfigurationFields(p *Proxy, r *resource) *object.Object {
	m := r.document(0)
	if hosts, ok := m.Lookup("virtualHosts"); ok {
		m.Set("virtualHosts", p.each(hosts, func(v any) any { return p.virtualHost(v, r.name) }))
	}
	return m
}

// virtualHost returns the object of a virtual host. It has Envoy's fields and
// the name of its route configuration.
func (p *Proxy) virtualHost(v any, routeConfiguration string) *mesh.Object {
	return newNested(p, "VirtualHost", v, virtualHostFields, func(m *object.Object) {
		m.Set("routeConfiguration", routeConfiguration)
		if routes, ok := m.Lookup("routes"); ok {
			name := m.Text("name")
			m.Set("routes", p.each(routes, func(v any) any { return p.route(v, routeConfiguration, name) }))
		}
	})
}

// route returns the object of a route. Every route has destinations; the array
// is empty if Envoy answers the request itself.
func (p *Proxy) route(v any, routeConfiguration, virtualHost string) *mesh.Object {
	return newNested(p, "Route", v, routeFields, func(m *object.Object) {
		m.Set("routeConfiguration", routeConfiguration)
		m.Set("virtualHost", virtualHost)
		m.Set("virtualService", istioResource(m.Get("metadata"), m.Get("name")))
		m.Set("destinations", p.destinations(m.Get("route")))
	})
}

// each returns a lazy array. Its elements are the elements of v, converted with
// the function of.
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
		p.grow(costElement * int64(len(out)))
		return out, nil
	})
}

// destinations returns a lazy array of the clusters to which a route's action
// sends requests, with Envoy's weights. If there is only one cluster, its
// weight is 100. The cluster is null if a request header names it.
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
		p.grow((costFact + decode.ObjectCost(2)) * int64(len(out)))
		return out, nil
	})
}

// destination returns the object of one destination of a route. If Envoy omits
// the weight, it is 0.
func destination(cluster, weight any) *object.Object {
	if weight == nil {
		weight = 0
	}
	return object.Of("cluster", cluster, "weight", weight)
}
