package envoy

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

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
