package graph

import (
	_ "embed"
	"strings"
)

// Facts is the query whose results a [Builder] takes. Its input is the mesh.
//
//go:embed facts.jq
var Facts string

// A Graph says who can send requests to whom. Nodes and edges are in a fixed
// order: by id.
type Graph struct {
	Kind     string    `json:"kind"` // "Graph"
	Nodes    []Node    `json:"nodes"`
	Edges    []Edge    `json:"edges"`
	Unknowns []Unknown `json:"unknowns"`
}

// A Node is a workload, a gateway, a waypoint, a service, or an address that
// belongs to none of them.
type Node struct {
	ID        string   `json:"id"`   // kind/namespace/name, or kind/name for what is in no namespace
	Kind      string   `json:"kind"` // Workload, Gateway, Waypoint, Service or Address
	Name      string   `json:"name"`
	Namespace string   `json:"namespace,omitempty"`
	Proxies   []string `json:"proxies,omitempty"` // the ids of its proxies; none: the workload has no proxy of its own
	Broken    []string `json:"broken,omitempty"`  // what is wrong: STALE, ERROR, DISCONNECTED (of a proxy), NO_ENDPOINTS, … (of a service)
}

// An Edge leads from a workload to a service by a route, or from a service to a
// workload with endpoints of it.
type Edge struct {
	From    string   `json:"from"`
	To      string   `json:"to"`
	Route   *Route   `json:"route,omitempty"`  // nil: from a service to a workload
	Port    string   `json:"port,omitempty"`   // of the service
	Subset  string   `json:"subset,omitempty"` // of the service
	Cluster string   `json:"cluster,omitempty"`
	Share   *float64 `json:"share,omitempty"`   // of the route's requests, from 0 to 1; nil: a mirror or an edge to a workload
	Mirror  bool     `json:"mirror,omitempty"`  // copies of requests
	Proxies []string `json:"proxies,omitempty"` // the ids of the proxies that have the route

	Endpoints int `json:"endpoints,omitempty"` // of an edge to a workload: how many there are
	Healthy   int `json:"healthy,omitempty"`   // and how many of them are healthy

	Broken []string `json:"broken,omitempty"` // NO_CLUSTER, NO_ENDPOINTS, ALL_UNHEALTHY, SUBSET_EMPTY, SHADOWED, UNHEALTHY
}

// A Route is a route of a route configuration, or a listener that sends
// connections to clusters without routes.
type Route struct {
	Kind               string `json:"kind"` // Route or Listener
	Name               string `json:"name,omitempty"`
	RouteConfiguration string `json:"routeConfiguration,omitempty"`
	VirtualHost        string `json:"virtualHost,omitempty"`
	VirtualService     string `json:"virtualService,omitempty"` // name.namespace of the Istio object that it is from
	Match              string `json:"match,omitempty"`          // path and conditions
}

// An Unknown is a part of a proxy, or of the mesh, that could not be read. Edges
// that it would have given are missing.
type Unknown struct {
	Proxy string `json:"proxy,omitempty"`
	What  string `json:"what"`
	Why   string `json:"why"`
}

// A target is what the name of a cluster says.
type target struct{ port, subset, host string }

// targetOf parses the name of an outbound cluster of Istio, such as
// "outbound|9080|v1|reviews.default.svc.cluster.local". ok is false for any other
// name.
func targetOf(cluster string) (t target, ok bool) {
	parts := strings.SplitN(cluster, "|", 4)
	if len(parts) != 4 || parts[0] != "outbound" || parts[3] == "" {
		return t, false
	}
	return target{parts[1], parts[2], parts[3]}, true
}

// nodeName splits the DNS name of a Service into its name and namespace. Any
// other host has no namespace.
func nodeName(host string) (name, namespace string) {
	before, _, ok := strings.Cut(host, ".svc.")
	if !ok {
		before, ok = strings.CutSuffix(host, ".svc")
	}
	if !ok || strings.Count(before, ".") != 1 {
		return host, ""
	}
	name, namespace, _ = strings.Cut(before, ".")
	return name, namespace
}

// Label returns how a node is called in pictures: name.namespace.
func (n Node) Label() string {
	if n.Namespace == "" {
		return n.Name
	}
	return n.Name + "." + n.Namespace
}
