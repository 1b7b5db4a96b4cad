package graph

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// A part is a part of a proxy that was read, or the reason why it could not be.
type part[T any] struct {
	Value   []T
	Unknown *string
}

type podFact struct {
	Namespace, Workload string
	IPs                 []string
}

type destination struct {
	Cluster string
	Weight  *float64
}

type routeFact struct {
	Kind, Name, RouteConfiguration, VirtualHost, VirtualService, Match string

	Destinations []destination
	Mirrors      []string
}

type clusterFact struct{ Name, EDS, Type string }

type endpointFact struct{ Cluster, IP, Address, Health string }

type brokenFact struct {
	Reason, Cluster, Name, RouteConfiguration, VirtualHost, Match string

	Unknowns []struct{ What, Why string }
}

// A fact is a row of the query [Facts].
type fact struct {
	Pods *part[podFact]

	ID, Name, Namespace, Workload, Type, State string

	IPs       []string
	Routes    part[routeFact]
	Listeners part[routeFact]
	Clusters  part[clusterFact]
	Endpoints part[endpointFact]
	Broken    part[brokenFact]
}

// A Builder makes a graph of the results of [Facts]. The zero Builder has none.
type Builder struct {
	pods    []podFact
	proxies []fact
	unknown []Unknown
}

// Add adds a result of [Facts], as JSON.
func (b *Builder) Add(row []byte) error {
	var f fact
	if err := json.Unmarshal(row, &f); err != nil {
		return fmt.Errorf("graph: %w", err)
	}
	if f.Pods != nil {
		b.pods = f.Pods.Value
		b.note("", "pods", f.Pods.Unknown)
		return nil
	}
	b.note(f.ID, "routes", f.Routes.Unknown)
	b.note(f.ID, "listeners", f.Listeners.Unknown)
	b.note(f.ID, "clusters", f.Clusters.Unknown)
	b.note(f.ID, "endpoints", f.Endpoints.Unknown)
	if f.Broken.Unknown != nil && f.Routes.Unknown == nil && f.Listeners.Unknown == nil {
		b.note(f.ID, "broken routes", f.Broken.Unknown)
	}
	for _, row := range f.Broken.Value {
		for _, u := range row.Unknowns {
			b.unknown = append(b.unknown, Unknown{f.ID, u.What, u.Why})
		}
	}
	b.proxies = append(b.proxies, f)
	return nil
}

func (b *Builder) note(proxy, what string, why *string) {
	if why != nil {
		b.unknown = append(b.unknown, Unknown{proxy, what, *why})
	}
}

// Graph returns the graph of the results so far.
func (b *Builder) Graph() *Graph {
	w := &work{nodes: map[string]*Node{}, edges: map[string]*Edge{}, byIP: map[string]string{}}
	for _, p := range b.pods {
		id := nodeID("Workload", p.Namespace, p.Workload)
		for _, ip := range p.IPs {
			w.byIP[ip] = id
		}
	}
	for i := range b.proxies {
		w.workload(&b.proxies[i])
	}
	for i := range b.proxies {
		w.proxy(&b.proxies[i])
	}
	g := &Graph{Kind: "Graph", Nodes: []Node{}, Edges: []Edge{}, Unknowns: append([]Unknown{}, b.unknown...)}
	for _, id := range slices.Sorted(maps.Keys(w.nodes)) {
		n := w.nodes[id]
		n.Broken = sorted(n.Broken)
		g.Nodes = append(g.Nodes, *n)
	}
	for _, e := range w.edges {
		e.Proxies, e.Broken = sorted(e.Proxies), sorted(e.Broken)
		g.Edges = append(g.Edges, *e)
	}
	slices.SortFunc(g.Edges, compareEdges)
	return g
}

func compareEdges(a, b Edge) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Port, b.Port), cmp.Compare(a.key(), b.key()))
}

// key identifies an edge. Proxies of one workload share the edges that they have
// in common.
func (e *Edge) key() string {
	parts := []string{e.From, e.To, e.Cluster, e.Subset, fmt.Sprint(e.Mirror)}
	if e.Route != nil {
		r := e.Route
		parts = append(parts, r.Kind, r.RouteConfiguration, r.VirtualHost, r.Name, r.Match, r.VirtualService)
	}
	if e.Share != nil {
		parts = append(parts, fmt.Sprint(*e.Share))
	}
	return strings.Join(parts, "\x00")
}

func sorted(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

func nodeID(kind, namespace, name string) string {
	if namespace == "" {
		return strings.ToLower(kind) + "/" + name
	}
	return strings.ToLower(kind) + "/" + namespace + "/" + name
}

// work is the graph while it is built.
type work struct {
	nodes map[string]*Node
	edges map[string]*Edge
	byIP  map[string]string // the ids of workloads by the addresses of their pods
}

func (w *work) node(kind, namespace, name string) *Node {
	id := nodeID(kind, namespace, name)
	n, ok := w.nodes[id]
	if !ok {
		n = &Node{ID: id, Kind: kind, Name: name, Namespace: namespace}
		w.nodes[id] = n
	}
	return n
}

// workload adds the node of a proxy's workload.
func (w *work) workload(f *fact) {
	kind := "Workload"
	switch f.Type {
	case "router":
		kind = "Gateway"
	case "waypoint":
		kind = "Waypoint"
	}
	n := w.node(kind, f.Namespace, cmp.Or(f.Workload, f.Name, f.ID))
	n.Proxies = append(n.Proxies, f.ID)
	if f.State != "" {
		n.Broken = append(n.Broken, f.State)
	}
	f.Workload = n.ID
	for _, ip := range f.IPs {
		w.byIP[ip] = n.ID
	}
}

// proxy adds the edges of a proxy.
func (w *work) proxy(f *fact) {
	eds := map[string]string{}
	for _, c := range f.Clusters.Value {
		eds[c.Name] = cmp.Or(c.EDS, c.Name)
	}
	rows := map[string][]endpointFact{}
	for _, e := range f.Endpoints.Value {
		rows[e.Cluster] = append(rows[e.Cluster], e)
	}
	broken, shadowed := map[string]string{}, map[string]bool{}
	for _, b := range f.Broken.Value {
		switch {
		case b.Reason == "SHADOWED":
			shadowed[strings.Join([]string{b.RouteConfiguration, b.VirtualHost, b.Name, b.Match}, "\x00")] = true
		case b.Cluster != "":
			broken[b.Cluster] = b.Reason
		}
	}
	one := &proxyWork{w, f, eds, rows, broken, shadowed, map[string]bool{}}
	for _, r := range f.Routes.Value {
		one.route(r)
	}
	for _, l := range f.Listeners.Value {
		one.route(l)
	}
}

// proxyWork adds the edges of one proxy.
type proxyWork struct {
	*work
	fact     *fact
	eds      map[string]string
	rows     map[string][]endpointFact
	broken   map[string]string // why a cluster takes no request
	shadowed map[string]bool   // the routes that no request reaches
	seen     map[string]bool   // the clusters whose endpoints were added
}

func (p *proxyWork) route(r routeFact) {
	total := 0.0
	shares := map[string]float64{}
	var order []string
	for _, d := range r.Destinations {
		weight := 1.0
		if d.Weight != nil {
			weight = *d.Weight
		}
		if weight == 0 || d.Cluster == "" {
			continue
		}
		if _, ok := shares[d.Cluster]; !ok {
			order = append(order, d.Cluster)
		}
		shares[d.Cluster] += weight
		total += weight
	}
	shadow := p.shadowed[strings.Join([]string{r.RouteConfiguration, r.VirtualHost, r.Name, r.Match}, "\x00")]
	for _, cluster := range order {
		share := shares[cluster] / total
		if r.Kind == "Listener" {
			p.edge(r, cluster, nil, false, shadow) // its filter chains don't share the connections by weight
			continue
		}
		p.edge(r, cluster, &share, false, shadow)
	}
	for _, cluster := range r.Mirrors {
		p.edge(r, cluster, nil, true, shadow)
	}
}

// edge adds an edge from the proxy's workload to a service, and from the service
// to the workloads that it has endpoints of.
func (p *proxyWork) edge(r routeFact, cluster string, share *float64, mirror, shadow bool) {
	t, ok := targetOf(cluster)
	if !ok {
		return
	}
	name, namespace := nodeName(t.host)
	to := p.node("Service", namespace, name)
	e := Edge{
		From: p.fact.Workload, To: to.ID, Port: t.port, Subset: t.subset, Cluster: cluster, Share: share, Mirror: mirror,
		Route: &Route{r.Kind, r.Name, r.RouteConfiguration, r.VirtualHost, r.VirtualService, r.Match},
	}
	known, ok := p.edges[e.key()]
	if !ok {
		known = &e
		p.edges[e.key()] = known
	}
	known.Proxies = append(known.Proxies, p.fact.ID)
	if shadow {
		known.Broken = append(known.Broken, "SHADOWED")
	}
	if reason := p.broken[cluster]; reason != "" {
		known.Broken = append(known.Broken, reason)
	}
	if !p.seen[cluster] {
		p.seen[cluster] = true
		p.endpoints(to, t, cluster)
	}
}

// tunneledIP returns the IP of an endpoint that Envoy reaches through a listener
// of its own, as in envoy://connect_originate/10.0.0.5:8080; "" for any other
// address.
func tunneledIP(address string) string {
	_, behind, ok := strings.Cut(address, "://")
	if !ok {
		return ""
	}
	at, err := netip.ParseAddrPort(behind[strings.LastIndexByte(behind, '/')+1:])
	if err != nil {
		return ""
	}
	return at.Addr().String()
}

// endpoints adds the edges from a service to the workloads behind a cluster.
// Several proxies may see different endpoints; the graph has the most that one
// of them sees.
func (p *proxyWork) endpoints(service *Node, t target, cluster string) {
	count, healthy := map[string]int{}, map[string]int{}
	for _, row := range p.rows[cmp.Or(p.eds[cluster], cluster)] {
		ip := cmp.Or(row.IP, tunneledIP(row.Address))
		id, ok := p.byIP[ip]
		if !ok {
			id = p.node("Address", "", cmp.Or(ip, row.Address)).ID
		} else if _, ok := p.nodes[id]; !ok { // a pod without a proxy
			_, rest, _ := strings.Cut(id, "/")
			namespace, name, _ := strings.Cut(rest, "/")
			p.node("Workload", namespace, name)
		}
		count[id]++
		if row.Health == "HEALTHY" || row.Health == "UNKNOWN" || row.Health == "" {
			healthy[id]++
		}
	}
	for id, n := range count {
		e := Edge{From: service.ID, To: id, Port: t.port, Subset: t.subset}
		known, ok := p.edges[e.key()+"\x00"+t.port]
		if !ok {
			known = &e
			p.edges[e.key()+"\x00"+t.port] = known
		}
		if n > known.Endpoints {
			known.Endpoints, known.Healthy = n, healthy[id]
		} else if n == known.Endpoints {
			known.Healthy = min(known.Healthy, healthy[id])
		}
		known.Broken = nil
		if known.Healthy == 0 {
			known.Broken = []string{"UNHEALTHY"}
		}
	}
}
