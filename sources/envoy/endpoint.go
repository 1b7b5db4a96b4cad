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

// An endpoint is one address of one cluster, from the dump's endpoints or from
// the answer to /clusters.
type endpoint struct {
	cluster  string
	address  address
	hostname string
	health   string
	weight   any
	priority any
	locality any // {region, zone, subZone}, or nil
	ofZone   any // the weight of its locality, or nil
	factor   any // the overprovisioning factor of its cluster in percent, or nil
	metadata any

	// Of /clusters only.
	service string // the name that the cluster's endpoints go by in EDS
	outlier string // OK, FAILED
	stats   any    // the host's stats, as they came
}

// endpoints reads the section: what the dump holds of EDS and of static
// clusters, and the hosts of /clusters where there is no such dump (one made
// without include_eds, or by an Envoy too old for it).
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
		if !missing(e) { // else the dump's error says more
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
	for i, row := range rows { // a copy for each: who keeps one element must not keep them all
		out[i] = p.endpoint(&row)
	}
	p.grow(costElement * int64(len(out)))
	return out, nil
}

// nameless tells of an endpoint that its cluster isn't named: Envoys up to 1.22
// left the name out of an assignment that had none of its own in EDS.
func nameless(e endpoint) bool { return e.cluster == "" }

// nameClusters names the clusters of rows from the answer to /clusters, by the
// address, where one cluster alone has that. Without that answer they have none.
func (p *Proxy) nameClusters(ctx context.Context, rows []endpoint) error {
	hosts, err := p.hostTable(ctx)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	known, clusters := map[string]bool{}, map[string][]string{} // clusters by address
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

// endpoint makes a row. All rows of a proxy have the same fields.
func (p *Proxy) endpoint(e *endpoint) *mesh.Object {
	return p.later("Endpoint", func(context.Context) (*object.Object, error) {
		m := object.Of(
			"address", mesh.OrNull(e.address.text), "ip", mesh.OrNull(e.address.ip), "port", nil,
			"hostname", mesh.OrNull(e.hostname), "cluster", mesh.OrNull(e.cluster), "health", cmp.Or(e.health, "UNKNOWN"),
			"weight", e.weight, "priority", e.priority, "locality", e.locality, "localityWeight", e.ofZone, "overprovisioningFactor", e.factor,
			"metadata", e.metadata,
		)
		if e.address.ip != "" {
			m.Set("port", e.address.port)
		}
		if e.priority == nil {
			m.Set("priority", 0)
		}
		if e.outlier != "" { // the row is from /clusters, which has no metadata
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

// edsTree is what is wanted of an element of the dump's lists of endpoints.
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

// assigned reads the dump's endpoints. A dump with no part about them says
// nothing of them, and that is an error as absent tells.
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

// usualFactor is Envoy's overprovisioning factor where nothing says another
// one, in percent.
const usualFactor = 140

// assignment reads a ClusterLoadAssignment.
func assignment(m *object.Object) (rows []endpoint) {
	groups, _ := m.Get("endpoints").([]any)
	factor := any(usualFactor)
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
				locality: locality(group), ofZone: weight(group.Get("loadBalancingWeight")), factor: factor, metadata: host.Get("metadata"),
			}
			if e.address.text == "" {
				e.address.text = host.Text("endpointName")
			}
			rows = append(rows, e)
		}
	}
	return rows
}

// weight is a locality's, or null where it has none: Envoy writes 0 for that.
func weight(v any) any {
	if v == 0 {
		return nil
	}
	return v
}

// locality is Envoy's, or null where it says nothing.
func locality(m *object.Object) any {
	if l := m.Object("locality"); l.Len() > 0 {
		return l
	}
	return nil
}

// A hostTable is the answer to /clusters: what Envoy itself found out about
// its endpoints.
type hostTable struct {
	doc  *decode.Document
	rows []endpoint

	once sync.Once
	at   map[hostKey]*endpoint
}

type hostKey struct{ cluster, address string }

// find gives the host of an endpoint, by its cluster's name or by the one that
// the cluster has in EDS.
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

// hostTable asks for /clusters.
func (p *Proxy) hostTable(ctx context.Context) (*hostTable, error) {
	doc, err := p.fetch(ctx, Request{What: clusters})
	if err != nil {
		return nil, err
	}
	p.reading.Lock()
	defer p.reading.Unlock()
	if p.hosts != nil && p.hosts.doc == doc {
		return p.hosts, nil
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
	p.hosts = t
	p.bears(doc)
	p.grow(costElement * int64(len(t.rows)))
	return t, nil
}

// readJSON reads the answer to /clusters?format=json.
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

// outlierCheck is what Envoy's outlier detection says of a host.
func (e *endpoint) outlierCheck(context.Context) (any, error) { return e.outlier, nil }

// counters are a host's stats by their names. What Envoy doesn't write is 0.
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

// number reads a 64-bit number, which protobuf's JSON writes in quotes.
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

// ofHost is a fact about an endpoint that only /clusters tells; null where
// Envoy's answer doesn't have the endpoint.
func (p *Proxy) ofHost(e *endpoint, fact func(*endpoint, context.Context) (any, error)) any {
	if e.outlier != "" { // the row is from /clusters itself
		return mesh.Later(func(ctx context.Context) (any, error) { return fact(e, ctx) })
	}
	return &hostFact{p: p, of: e, fact: fact}
}

// A hostFact is pending: to look at it may ask Envoy.
type hostFact struct {
	p    *Proxy
	of   *endpoint
	fact func(*endpoint, context.Context) (any, error)

	mu   sync.Mutex
	v    any
	done bool
}

// Force asks for /clusters, or takes the answer that is there.
func (f *hostFact) Force(ctx context.Context) (any, error) {
	if v, ok := f.Forced(); ok {
		return v, nil
	}
	if err := mesh.Enter(ctx); err != nil {
		return nil, err
	}
	hosts, err := f.p.hostTable(ctx)
	if err != nil {
		return nil, f.p.fault(ctx, mesh.Endpoints, err)
	}
	var v any
	if host := hosts.find(f.of); host != nil {
		if v, err = f.fact(host, ctx); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.v, f.done = v, true
	return v, nil
}

// Forced gives what Force found.
func (f *hostFact) Forced() (any, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.v, f.done
}

// Pending is true until it was asked for.
func (f *hostFact) Pending() bool {
	_, done := f.Forced()
	return !done
}
