package envoy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// An endpoint is one address of a cluster, as the dump or the answer to
// /clusters contains it.
type endpoint struct {
	cluster        string
	address        address
	hostname       string
	health         string
	weight         any
	priority       any
	locality       any // the object {region, zone, subZone}; nil if unknown
	localityWeight any // the weight of the locality; nil if unknown
	factor         any // the overprovisioning factor of the cluster in percent; nil if unknown
	metadata       any

	// The following values are only in the answer to /clusters.
	service string // the name of the cluster in EDS
	outlier string // the state of outlier detection, "OK" or "FAILED"
	stats   any    // the stats of the host, not parsed yet
}

// endpoints returns the objects of all endpoints of the proxy. All objects have
// the same fields.
func (p *Proxy) endpoints(ctx context.Context) (any, error) {
	rows, err := p.assigned(ctx)
	if err == nil && !p.dumpOnly && slices.ContainsFunc(rows, nameless) {
		err = p.nameClusters(ctx, rows)
	}
	if !p.dumpOnly && (missing(err) || absent(err)) {
		hosts, e := p.hostTable(ctx)
		if e == nil {
			rows = slices.Clone(hosts.rows)
		}
		if !missing(e) { // if /clusters can't be read either, the error about the dump is more helpful
			err = e
		}
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b endpoint) int {
		return cmp.Or(cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.address.text, b.address.text))
	})
	out := make([]any, len(rows))
	for i, row := range rows { // row is a copy, so that an object in memory doesn't keep the whole slice alive
		out[i] = p.endpoint(&row)
	}
	p.grow(costElement * int64(len(out)))
	return out, nil
}

// nameless reports whether the name of an endpoint's cluster is unknown. Envoy
// up to 1.22 writes the name into a ClusterLoadAssignment only if the cluster
// has a different name in EDS.
func nameless(e endpoint) bool { return e.cluster == "" }

// nameClusters sets the cluster of each endpoint whose cluster isn't known. It
// takes the cluster that has the endpoint's address in the answer to /clusters.
// If there is no answer, or if several clusters have the address, the cluster
// stays unknown.
func (p *Proxy) nameClusters(ctx context.Context, rows []endpoint) error {
	hosts, err := p.hostTable(ctx)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	// the addresses that the dump contains, and the clusters of each address
	known, clusters := map[string]bool{}, map[string][]string{}
	for _, r := range rows {
		known[r.cluster] = true
	}
	for _, h := range hosts.rows {
		at := h.address.text
		if !known[h.cluster] && !known[cmp.Or(h.service, h.cluster)] && !slices.Contains(clusters[at], h.cluster) {
			clusters[at] = append(clusters[at], h.cluster)
		}
	}
	for i := range rows {
		if of := clusters[rows[i].address.text]; nameless(rows[i]) && len(of) == 1 {
			rows[i].cluster = of[0]
		}
	}
	return nil
}

// endpoint returns the object of an endpoint. The objects of all endpoints of a
// proxy have the same fields.
func (p *Proxy) endpoint(e *endpoint) *mesh.Object {
	return p.later("Endpoint", func(context.Context) (*object.Object, error) {
		m := object.Of(
			"address", mesh.OrNull(e.address.text), "ip", mesh.OrNull(e.address.ip), "port", nil,
			"hostname", mesh.OrNull(e.hostname), "cluster", mesh.OrNull(e.cluster), "health", cmp.Or(e.health, "UNKNOWN"),
			"weight", e.weight, "priority", e.priority, "locality", e.locality, "localityWeight", e.localityWeight, "overprovisioningFactor", e.factor,
			"metadata", e.metadata,
		)
		if e.address.ip != "" {
			m.Set("port", e.address.port)
		}
		if e.priority == nil {
			m.Set("priority", 0)
		}
		if e.outlier != "" { // the endpoint comes from /clusters, which contains no metadata
			m.Set("metadata", mesh.Later(func(ctx context.Context) (any, error) {
				return nil, p.fault(ctx, mesh.Endpoints, errors.New("metadata: /clusters doesn't have it, and there is no dump with endpoints"))
			}))
		}
		if !p.dumpOnly {
			m.Set("outlier", p.ofHost(e, (*endpoint).outlierCheck))
			m.Set("stats", p.ofHost(e, (*endpoint).counters))
		}
		return m, nil
	})
}

// edsTree returns the decoder's node that reads an element of the dump's lists
// of endpoints.
func edsTree(tag int) *decode.Node {
	value := &decode.Node{}
	whole := &decode.Node{All: true}
	host := &decode.Node{Elem: &decode.Node{Fields: []decode.Field{
		{Name: "endpoint", Node: &decode.Node{Fields: []decode.Field{{Name: "address", Node: whole}, {Name: "hostname", Node: value}}}},
		{Name: "endpointName", Node: value}, {Name: "healthStatus", Node: value}, {Name: "loadBalancingWeight", Node: value},
		{Name: "metadata", Node: &decode.Node{Raw: true}},
	}}}
	group := &decode.Node{Elem: &decode.Node{Fields: []decode.Field{
		{Name: "locality", Node: whole}, {Name: "priority", Node: value}, {Name: "loadBalancingWeight", Node: value}, {Name: "lbEndpoints", Node: host},
		{Name: "loadBalancerEndpoints", Node: &decode.Node{Fields: []decode.Field{{Name: "lbEndpoints", Node: host}}}},
	}}}
	policy := &decode.Node{Fields: []decode.Field{{Name: "overprovisioningFactor", Node: value}}}
	return &decode.Node{Walk: true, Elem: &decode.Node{Walk: true, Fields: []decode.Field{
		{Name: "endpointConfig", Node: &decode.Node{Visit: tag, Fields: []decode.Field{{Name: "clusterName", Node: value}, {Name: "policy", Node: policy}, {Name: "endpoints", Node: group}}}},
	}}}
}

// assigned reads the endpoints from the dump. If the dump has no part for
// endpoints, it returns an absentError.
func (p *Proxy) assigned(ctx context.Context) (rows []endpoint, err error) {
	d, err := p.current(ctx, mesh.Endpoints)
	if err != nil {
		return nil, err
	}
	start := 0
	r := reading{
		kind:   "EndpointsConfigDump",
		fields: []decode.Field{{Name: "staticEndpointConfigs", Node: edsTree(tagOwn)}, {Name: "dynamicEndpointConfigs", Node: edsTree(tagOwn)}},
		take: func(_ int, v any) {
			m, _ := v.(*object.Object)
			rows = append(rows, assignment(m)...)
		},
		ended: func(mine bool) {
			if !mine {
				rows = rows[:start]
			}
			start = len(rows)
		},
	}
	if _, err := d.read(ctx, r); err != nil {
		return nil, err
	}
	if !d.has(r.kind) {
		return nil, d.absent(r.kind)
	}
	return rows, nil
}

// defaultOverprovisioning is Envoy's default overprovisioning factor, in percent.
const defaultOverprovisioning = 140

// assignment parses a ClusterLoadAssignment.
func assignment(m *object.Object) (rows []endpoint) {
	groups, _ := m.Get("endpoints").([]any)
	factor := any(defaultOverprovisioning)
	if n, ok := m.Object("policy").Get("overprovisioningFactor").(int); ok {
		factor = n
	}
	for _, g := range groups {
		group, _ := g.(*object.Object)
		hosts, _ := group.Get("lbEndpoints").([]any)
		if more, ok := group.Object("loadBalancerEndpoints").Get("lbEndpoints").([]any); ok {
			hosts = append(hosts[:len(hosts):len(hosts)], more...)
		}
		for _, h := range hosts {
			host, _ := h.(*object.Object)
			at := host.Object("endpoint")
			e := endpoint{
				cluster: m.Text("clusterName"), address: readAddress(at.Object("address")), hostname: at.Text("hostname"),
				health: host.Text("healthStatus"), weight: host.Get("loadBalancingWeight"), priority: group.Get("priority"),
				locality: locality(group), localityWeight: weight(group.Get("loadBalancingWeight")), factor: factor, metadata: host.Get("metadata"),
			}
			if e.address.text == "" {
				e.address.text = host.Text("endpointName")
			}
			rows = append(rows, e)
		}
	}
	return rows
}

// weight returns the weight of a locality, or null for 0, which Envoy writes if
// the locality has no weight.
func weight(v any) any {
	if v == 0 {
		return nil
	}
	return v
}

// locality returns Envoy's locality, or null if it is empty.
func locality(m *object.Object) any {
	if l := m.Object("locality"); l.Len() > 0 {
		return l
	}
	return nil
}

// A hostTable is the parsed answer to /clusters. It contains the state of
// endpoints that Envoy determined itself, such as the result of outlier
// detection.
type hostTable struct {
	doc  *decode.Document
	rows []endpoint

	part bool // true if the hosts of other clusters may be missing

	once sync.Once
	at   map[hostKey]*endpoint
}

type hostKey struct{ cluster, address string }

// find returns the host that an endpoint describes. It looks up the endpoint's
// cluster by its own name and by its name in EDS.
func (t *hostTable) find(e *endpoint) *endpoint {
	t.once.Do(func() {
		t.at = make(map[hostKey]*endpoint, len(t.rows))
		for i := range t.rows {
			r := &t.rows[i]
			t.put(r.cluster, r)
		}
		for i := range t.rows {
			r := &t.rows[i]
			if r.service != "" {
				t.put(r.service, r)
			}
		}
	})
	return t.at[hostKey{e.cluster, e.address.text}]
}

func (t *hostTable) put(cluster string, r *endpoint) {
	key := hostKey{cluster, r.address.text}
	if t.at[key] == nil {
		t.at[key] = r
	}
}

// host returns the host that an endpoint describes, or nil if Envoy doesn't list it.
// If only some clusters are wanted, host requests the hosts of these first. A cluster
// may have another name in EDS; then the hosts of all clusters are needed.
func (p *Proxy) host(ctx context.Context, e *endpoint) (*endpoint, error) {
	if p.wanted.By == Key(mesh.Endpoints) && len(p.wanted.Patterns) == 0 {
		hosts, err := p.requestHosts(ctx, p.wanted, &p.some)
		if err != nil {
			return nil, err
		}
		if h := hosts.find(e); h != nil || !hosts.part {
			return h, nil
		}
	}
	hosts, err := p.hostTable(ctx)
	if err != nil {
		return nil, err
	}
	return hosts.find(e), nil
}

// hostTable requests /clusters and parses the answer.
func (p *Proxy) hostTable(ctx context.Context) (*hostTable, error) {
	return p.requestHosts(ctx, mesh.Hint{}, &p.hosts)
}

// requestHosts requests the hosts of the wanted clusters and parses the answer, which
// it also stores in last.
func (p *Proxy) requestHosts(ctx context.Context, wanted mesh.Hint, last **hostTable) (*hostTable, error) {
	doc, err := p.fetch(ctx, Request{What: clusters, Wanted: wanted})
	if err != nil {
		return nil, err
	}
	p.hostsMu.Lock()
	defer p.hostsMu.Unlock()
	if *last != nil && (*last).doc == doc {
		return *last, nil
	}
	t := &hostTable{doc: doc}
	if isJSON(doc) {
		err = t.readJSON(ctx)
	} else {
		err = t.readText(ctx)
	}
	if err != nil {
		return nil, doc.Named(err)
	}
	// an Envoy before 1.38 returns all hosts, although only some were requested
	isOther := func(r endpoint) bool { return !slices.Contains(wanted.Names, r.cluster) }
	t.part = len(wanted.Names) > 0 && !slices.ContainsFunc(t.rows, isOther)
	*last = t
	p.setBudget(doc)
	p.grow(costElement * int64(len(t.rows)))
	return t, nil
}

// readJSON parses the answer to /clusters?format=json.
func (t *hostTable) readJSON(ctx context.Context) error {
	value, whole := &decode.Node{}, &decode.Node{All: true}
	host := &decode.Node{Elem: &decode.Node{Fields: []decode.Field{
		{Name: "address", Node: whole}, {Name: "hostname", Node: value}, {Name: "healthStatus", Node: whole},
		{Name: "weight", Node: value}, {Name: "priority", Node: value}, {Name: "locality", Node: whole},
		{Name: "stats", Node: &decode.Node{Raw: true}},
	}}}
	cluster := &decode.Node{Visit: tagOwn, Fields: []decode.Field{
		{Name: "name", Node: value}, {Name: "edsServiceName", Node: value}, {Name: "hostStatuses", Node: host},
	}}
	root := &decode.Node{Walk: true, Fields: []decode.Field{{Name: "clusterStatuses", Node: &decode.Node{Walk: true, Elem: cluster}}}}
	_, err := t.doc.Pass(ctx, 0, -1, envoyFields().message("envoy.admin.v3.Clusters"), root, func(_ int, v any, _, _ int64) error {
		m, _ := v.(*object.Object)
		hosts, _ := m.Get("hostStatuses").([]any)
		for _, h := range hosts {
			host, _ := h.(*object.Object)
			t.rows = append(t.rows, hostStatus(m, host))
		}
		return nil
	})
	return err
}

func hostStatus(cluster, host *object.Object) endpoint {
	health := host.Object("healthStatus")
	e := endpoint{
		cluster: cluster.Text("name"), service: cluster.Text("edsServiceName"),
		address: readAddress(host.Object("address")), hostname: host.Text("hostname"),
		health: health.Text("edsHealthStatus"), weight: host.Get("weight"), priority: host.Get("priority"),
		locality: locality(host), outlier: "OK", stats: host.Get("stats"),
	}
	if health.Get("failedOutlierCheck") == true {
		e.outlier = "FAILED"
	}
	return e
}

// outlierCheck returns the state of the endpoint in Envoy's outlier detection.
func (e *endpoint) outlierCheck(context.Context) (any, error) { return e.outlier, nil }

// counters returns the stats of a host by name. A missing stat is 0, because
// Envoy omits zeros.
func (e *endpoint) counters(ctx context.Context) (any, error) {
	if m, ok := e.stats.(*object.Object); ok {
		return m, nil
	}
	all, err := elements(ctx, e.stats)
	if err != nil {
		return nil, err
	}
	m := object.New(len(all))
	for _, v := range all {
		stat, err := mesh.Force(ctx, v)
		if err != nil {
			return nil, err
		}
		s, _ := stat.(*object.Object)
		m.Set(s.Text("name"), number(s.Text("value")))
	}
	return m, nil
}

// number parses a 64-bit number, which Protobuf's JSON format writes in quotes.
func number(s string) any {
	if s == "" {
		return 0
	}
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	if strings.Trim(s, "0123456789") == "" {
		return json.Number(s)
	}
	return s
}

// ofHost returns a lazy field of an endpoint for a value that only /clusters
// contains. The field is null if the answer doesn't contain the endpoint.
func (p *Proxy) ofHost(e *endpoint, fact func(*endpoint, context.Context) (any, error)) any {
	if e.outlier != "" { // the endpoint itself comes from /clusters
		return mesh.Later(func(ctx context.Context) (any, error) { return fact(e, ctx) })
	}
	return &hostFact{p: p, of: e, fact: fact}
}

// A hostFact is a lazy field that ofHost creates. It is pending, because
// reading it may send a request to Envoy.
type hostFact struct {
	p    *Proxy
	of   *endpoint
	fact func(*endpoint, context.Context) (any, error)

	mu   sync.Mutex
	v    any
	done bool
}

// Force returns the field's value. It requests /clusters unless the answer was
// received already.
func (f *hostFact) Force(ctx context.Context) (any, error) {
	if v, ok := f.Forced(); ok {
		return v, nil
	}
	if err := mesh.Enter(ctx); err != nil {
		return nil, err
	}
	host, err := f.p.host(ctx, f.of)
	if err != nil {
		return nil, f.p.fault(ctx, mesh.Endpoints, err)
	}
	var v any
	if host != nil {
		if v, err = f.fact(host, ctx); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.v, f.done = v, true
	return v, nil
}

// Forced returns the field's value if Force was called before and has found it.
func (f *hostFact) Forced() (any, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.v, f.done
}

// Pending returns true until the value is found.
func (f *hostFact) Pending() bool {
	_, done := f.Forced()
	return !done
}
