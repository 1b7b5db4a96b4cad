package envoy

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

var listenerCatalog = catalog{
	section: mesh.Listeners, part: "ListenersConfigDump",
	lists: []list{
		{"staticListeners", stateStatic}, {"dynamicListeners", ""},
		// only Envoys before 1.13 have these lists
		{"dynamicActiveListeners", stateActive}, {"dynamicWarmingListeners", stateWarming}, {"dynamicDrainingListeners", stateDraining},
	},
	field: "listener", name: "name",
	inside: &decode.Node{Shallow: true, Fields: []decode.Field{{Name: "address", Node: &decode.Node{All: true}}}},
	make:   listenerFields, needs: mesh.Needs("Listener"),
	// a mask can't select fields of a listener, because the dump nests the
	// listener two levels below its element
	masked: &masked{
		list: 1, others: "static_listeners",
		always: "name,error_state,active_state.last_updated,warming_state.last_updated,draining_state.last_updated",
	},
}

// listenerFields returns the fields of a listener. A listener on a pipe has no
// port. A listener inside Envoy has neither a port nor a host.
func listenerFields(_ *Proxy, r *resource) *object.Object {
	m := r.document(3)
	a := readAddress(m.Object("address"))
	if a.ip != "" {
		m.Set("host", a.ip)
		m.Set("port", a.port)
	} else if a.pipe {
		m.Set("host", a.text)
	}
	m.Set("protocols", protocols(m.Get("filterChains"), m.Get("defaultFilterChain")))
	return m
}

// protocols returns a lazy list of the protocols that the filter chains of a
// listener handle: "HTTP", "TCP", both, or none if they are unknown.
func protocols(chains, last any) any {
	return mesh.Later(func(ctx context.Context) (any, error) {
		all, err := elements(ctx, chains)
		if err != nil {
			return nil, err
		}
		if last != nil {
			all = append(all[:len(all):len(all)], last)
		}
		http, tcp := false, false
		for _, chain := range all {
			h, t, err := chainProtocols(ctx, chain)
			if err != nil {
				return nil, err
			}
			http, tcp = http || h, tcp || t
		}
		out := []any{}
		if http {
			out = append(out, "HTTP")
		}
		if tcp {
			out = append(out, "TCP")
		}
		return out, nil
	})
}

// chainProtocols reports which protocols a filter chain handles. It recognises
// filters by the names that Istio gives them: the current names, and those that
// it used up to 1.5.
func chainProtocols(ctx context.Context, chain any) (http, tcp bool, err error) {
	list, err := mesh.Get(ctx, chain, "filters")
	if err != nil {
		return false, false, err
	}
	filters, err := elements(ctx, list)
	if err != nil {
		return false, false, err
	}
	for _, f := range filters {
		name, err := mesh.Get(ctx, f, "name")
		if err != nil {
			return false, false, err
		}
		switch name {
		case "envoy.filters.network.http_connection_manager", "envoy.http_connection_manager":
			http = true
		case "envoy.filters.network.tcp_proxy", "envoy.tcp_proxy":
			blackhole, err := holds(ctx, f, "BlackHoleCluster")
			if err != nil {
				return false, false, err
			}
			tcp = tcp || !blackhole
		}
	}
	return http, tcp, nil
}

// holds reports whether any string in a value contains a word. It is used to
// find the cluster BlackHoleCluster, which receives the connections that are
// not allowed.
func holds(ctx context.Context, v any, word string) (bool, error) {
	whole, err := mesh.Deep(ctx, v)
	return err == nil && contains(whole, word), err
}

func contains(v any, word string) bool {
	switch x := v.(type) {
	case string:
		return strings.Contains(x, word)
	case []any:
		for _, w := range x {
			if contains(w, word) {
				return true
			}
		}
	case *object.Object:
		for _, w := range x.All() {
			if contains(w, word) {
				return true
			}
		}
	}
	return false
}

// elements returns the elements of an array, or nil if v is not an array.
func elements(ctx context.Context, v any) ([]any, error) {
	v, err := mesh.Force(ctx, v)
	a, _ := v.([]any)
	return a, err
}
