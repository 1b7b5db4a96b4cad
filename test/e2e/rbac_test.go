package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
	"github.com/meshq/kubectl-meshq/test/e2e/random"
)

// An rbacCase is a listener with RBAC filters, and the requests to send to it.
type rbacCase struct {
	random.RBACListener
	name     string
	port     int
	refused  string // the error if Envoy rejects the listener
	requests []random.RBACRequest
	statuses []int     // HTTP status of Envoy's response to each request; 0 if it closed the connection
	verdicts []verdict // the plugin's verdict on each request
}

// A verdict is the result of the plugin's trace function for one request.
type verdict struct {
	Status      int
	Reason      string
	Unsupported []string
}

const (
	rbacCasesAtOnce     = 250
	requestsPerRBACCase = 12
)

// TestRBACAsEnvoy compares the plugin's verdicts on requests through RBAC filters with the responses of real Envoys. It
// uses random policies for the HTTP and the network filter, random requests and random clients.
func TestRBACAsEnvoy(t *testing.T) {
	j := newComparer(t)
	j.eachEnvoy(t, j.rbacAsEnvoy)
}

func (j *comparer) rbacAsEnvoy(t *testing.T) {
	for _, seed := range seeds(t) {
		began := time.Now()
		var asked, denied, declined, refused, found int
		for from := 0; from < *guards; from += rbacCasesAtOnce {
			all := randomRBACCases(seed, from, min(from+rbacCasesAtOnce, *guards))
			j.tryRBAC(t, all)
			for _, g := range all {
				if g.refused != "" {
					refused++
					t.Logf("%s: %s", g.name, g.refused)
					continue
				}
				asked += len(g.requests)
				for i, v := range g.verdicts {
					switch {
					case len(v.Unsupported) > 0:
						declined++
					case v.Status != g.statuses[i]:
						if found++; found <= reported {
							j.reportRBAC(t, g, i)
						}
					}
					if g.statuses[i] == 403 || g.statuses[i] == 0 {
						denied++
					}
				}
			}
		}
		t.Logf("seed %d: %d policies (and %d that Envoy refuses), %d requests, %d of them denied, %d that hang on what only Envoy knows: %d mismatches, %s",
			seed, *guards-refused, refused, asked, denied, declined, found, time.Since(began).Round(time.Millisecond))
		if found > 0 {
			t.Errorf("seed %d: %d mismatches", seed, found)
		}
		if declined*20 > asked || refused*10 > *guards || denied*10 < asked || denied*10 > asked*9 {
			t.Errorf("seed %d: what was tried says too little", seed)
		}
	}
}

func randomRBACCases(seed uint64, from, to int) (all []*rbacCase) {
	for i := from; i < to; i++ {
		s := random.New(seed + uint64(i))
		g := &rbacCase{RBACListener: s.RBACListener(), name: fmt.Sprintf("l%d", i)}
		for range requestsPerRBACCase {
			g.requests = append(g.requests, s.RBACRequest(g.RBACListener))
		}
		all = append(all, g)
	}
	return all
}

// tryRBAC sends all requests to Envoy and then asks the plugin about them.
func (j *comparer) tryRBAC(t *testing.T, all []*rbacCase) {
	t.Helper()
	host := oracle.Host(rand.Uint64())
	c := oracle.Config{NodeID: "sidecar~10.0.0.1~web.default~default.svc.cluster.local", Lenient: !j.isNewest()}
	for i, g := range all {
		g.port = firstPort + i
		c.Listeners = append(c.Listeners, j.listenerOf(g, oracle.Address(host, g.port)))
	}
	e, err := oracle.Start(t.Context(), j.envoy, c)
	must(t, err)
	defer e.Stop()
	refused, err := e.Refused(t.Context())
	must(t, err)
	var open []*rbacCase
	var parts []part
	for _, g := range all {
		if g.refused = refused[g.name]; g.refused == "" {
			open = append(open, g)
			parts = append(parts, part{g.name, []string{g.name}})
		}
	}
	atOnce(8, open, func(g *rbacCase) { j.sendRBAC(t, host, g) })
	dump, err := e.Dump(t.Context())
	if err != nil {
		t.Fatal(err, e.Ended())
	}
	j.traceRBAC(t, separate(t, dump, parts), open)
}

// listenerOf returns the listener's configuration. A PROXY protocol header carries the client's address, and a direct
// response answers every request that RBAC allows.
func (j *comparer) listenerOf(g *rbacCase, at oracle.Message) oracle.Message {
	options := maps.Clone(g.Manager)
	options["http_filters"] = []any{
		oracle.Message{"name": "rbac", "typed_config": g.HTTP},
		oracle.Message{"name": "router", "typed_config": oracle.Message{"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}},
	}
	match := oracle.Message{"prefix": "/"}
	if g.RoutesNothing {
		match = oracle.Message{"path": "/a/path/that/no/request/has"}
	}
	routes := oracle.Message{"name": "routes", "virtual_hosts": []any{oracle.Message{"name": "all", "domains": []any{"*"}, "routes": []any{
		oracle.Message{"match": match, "direct_response": oracle.Message{"status": 200}},
	}}}}
	if g.IgnoresParameters {
		routes["ignore_path_parameters_in_path_matching"] = true
	}
	filters := []any{oracle.Message{"name": "http", "typed_config": oracle.Manager(options, routes)}}
	if g.Network != nil {
		filters = append([]any{oracle.Message{"name": "rbac", "typed_config": g.Network}}, filters...)
	}
	chain := oracle.Message{"filters": filters}
	if g.TLS {
		chain["transport_socket"] = j.identity.ServerTLS(true, false)
	}
	const listenerFilters = "type.googleapis.com/envoy.extensions.filters.listener."
	return oracle.Message{"name": g.name, "address": at, "filter_chains": []any{chain}, "listener_filters": []any{
		oracle.Message{"name": "proxy", "typed_config": oracle.Message{"@type": listenerFilters + "proxy_protocol.v3.ProxyProtocol"}},
		oracle.Message{"name": "tls", "typed_config": oracle.Message{"@type": listenerFilters + "tls_inspector.v3.TlsInspector"}},
	}}
}

func (j *comparer) sendRBAC(t *testing.T, host string, g *rbacCase) {
	g.statuses = make([]int, len(g.requests))
	for i, k := range g.requests {
		c := oracle.Client{Address: fmt.Sprintf("%s:%d", host, g.port), Begin: oracle.ProxyHeader(k.Source, k.Destination, k.SourcePort, k.Port)}
		if g.TLS {
			c.TLS = j.identity.ClientTLS(k.ShowsCert)
			c.TLS.ServerName = k.SNI
		}
		a, err := c.Ask(t.Context(), oracle.Request(k.Request))
		c.Close()
		if err != nil {
			t.Error(err)
			return
		}
		g.statuses[i] = a.Status
	}
}

// traceRBAC asks the plugin for its verdicts.
func (j *comparer) traceRBAC(t *testing.T, snapshot string, all []*rbacCase) {
	t.Helper()
	type asked struct {
		Proxy    string           `json:"proxy"`
		Requests []map[string]any `json:"requests"`
	}
	var cases []asked
	for _, g := range all {
		a := asked{Proxy: g.name + ".default"}
		for _, k := range g.requests {
			a.Requests = append(a.Requests, g.traceArgument(k))
		}
		cases = append(cases, a)
	}
	lines := j.ask(t, snapshot, cases, `. as $mesh | $cases[0][] | .proxy as $name | ($mesh | proxy($name)) as $proxy | .requests[] as $request
		| $proxy.trace($request) | {status, reason, unsupported}`)
	for _, g := range all {
		g.verdicts = make([]verdict, len(g.requests))
		for i := range g.requests {
			if len(lines) == 0 {
				t.Fatal("there are fewer answers than requests")
			}
			must(t, json.Unmarshal(lines[0], &g.verdicts[i]))
			lines = lines[1:]
		}
	}
}

// traceArgument returns a request as an argument of the plugin's trace function.
func (g *rbacCase) traceArgument(k random.RBACRequest) map[string]any {
	headers := map[string][]string{"host": {k.Host}}
	for _, h := range k.Headers {
		name := strings.ToLower(h[0])
		headers[name] = append(headers[name], h[1])
	}
	m := traceArgumentOf(k.Connection)
	m["method"], m["path"], m["headers"] = k.Method, k.Path, headers
	if delete(m, "alpn"); g.TLS {
		m["tls"], m["sni"], m["principal"] = true, k.SNI, map[bool]string{true: oracle.Principal}[k.ShowsCert]
	}
	return m
}

// differs reports whether the plugin's verdict on the first request differs from Envoy's response.
func (g *rbacCase) differs() bool {
	return g.refused == "" && len(g.verdicts[0].Unsupported) == 0 && g.verdicts[0].Status != g.statuses[0]
}

func (g *rbacCase) size() int { return len(text(g.HTTP)) + len(text(g.Network)) + len(text(g.Manager)) }

// reportRBAC reports a mismatch, with the smallest configuration found that still causes it.
func (j *comparer) reportRBAC(t *testing.T, g *rbacCase, at int) {
	t.Helper()
	best := &rbacCase{RBACListener: g.RBACListener, requests: g.requests[at : at+1], statuses: g.statuses[at : at+1], verdicts: g.verdicts[at : at+1]}
	for next := best; next != nil; {
		best, next = next, j.smallerRBAC(t, next)
	}
	t.Errorf("Envoy: %d; the plugin: %d %s; %s\nHTTP %s, network %s, manager %s", best.statuses[0], best.verdicts[0].Status, best.verdicts[0].Reason,
		text(best.requests[0]), text(best.HTTP), text(best.Network), text(best.Manager))
}

// smallerRBAC removes one part of the configuration at a time and returns the smallest variant that still has the
// mismatch. It returns nil if none has it.
func (j *comparer) smallerRBAC(t *testing.T, g *rbacCase) (best *rbacCase) {
	t.Helper()
	var all []*rbacCase
	add := func(change func(*random.RBACListener)) {
		n := &rbacCase{RBACListener: g.RBACListener, name: fmt.Sprintf("l%d", len(all)), requests: g.requests}
		change(&n.RBACListener)
		all = append(all, n)
	}
	for _, m := range oracle.Smaller(asRead(t, g.HTTP), "@type") {
		add(func(n *random.RBACListener) { n.HTTP = m.(oracle.Message) })
	}
	for _, m := range oracle.Smaller(asRead(t, g.Manager)) {
		add(func(n *random.RBACListener) { n.Manager = m.(oracle.Message) })
	}
	if g.Network != nil {
		add(func(n *random.RBACListener) { n.Network = nil })
		for _, m := range oracle.Smaller(asRead(t, g.Network), "@type", "stat_prefix") {
			add(func(n *random.RBACListener) { n.Network = m.(oracle.Message) })
		}
	}
	for best == nil && len(all) > 0 {
		some := all[:min(len(all), rbacCasesAtOnce)]
		all = all[len(some):]
		j.tryRBAC(t, some)
		for _, n := range some {
			if n.refused == "" && n.differs() && (best == nil || n.size() < best.size()) {
				best = n
			}
		}
	}
	return best
}
