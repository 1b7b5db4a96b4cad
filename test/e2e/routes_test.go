package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
	"github.com/meshq/kubectl-meshq/test/e2e/random"
)

// A routeCase is a random route configuration behind a listener, and the requests to send to it.
type routeCase struct {
	random.Routes
	name     string
	port     int
	refused  string // the error if Envoy rejects the listener
	requests []oracle.Request
	answers  []oracle.Answer // Envoy's
	choices  []*choice       // the plugin's
}

const (
	requestsPerRouteCase = 300
	routeCasesAtOnce     = 250 // how many route configurations share one Envoy
	firstPort            = 12000
)

// TestRoutesAsEnvoy compares match with a real Envoy. It uses random route configurations in random HTTP connection
// managers.
func TestRoutesAsEnvoy(t *testing.T) {
	j := newComparer(t)
	j.eachEnvoy(t, j.routesAsEnvoy)
}

func (j *comparer) routesAsEnvoy(t *testing.T) {
	for _, seed := range seeds(t) {
		began := time.Now()
		var n tally
		for from := 0; from < *routings; from += routeCasesAtOnce {
			all := randomRouteCases(seed, from, min(from+routeCasesAtOnce, *routings))
			lines := j.tryRoutes(t, all, *recording != "")
			if *recording != "" && !t.Failed() {
				record(t, lines)
			}
			for _, r := range all {
				n.count(t, r)
				if at := r.differs(); at >= 0 {
					if n.found++; n.found <= reported {
						j.report(t, r, at)
					}
				}
			}
		}
		t.Logf("seed %d: %s, %s", seed, &n, time.Since(began).Round(time.Millisecond))
		if n.found > 0 {
			t.Errorf("seed %d: %d route configurations with a mismatch", seed, n.found)
		}
		if n.declined*50 > n.requests {
			t.Errorf("%d of %d requests are not decided", n.declined, n.requests)
		}
		if n.refused*10 > *routings {
			t.Errorf("Envoy refuses %d of %d route configurations", n.refused, *routings)
		}
	}
}

// A tally counts what was tried.
type tally struct{ configurations, refused, requests, matched, declined, found int }

func (n *tally) count(t *testing.T, r *routeCase) {
	if r.refused != "" {
		n.refused++
		t.Logf("%s: %s", r.name, r.refused)
		return
	}
	n.configurations++
	n.requests += len(r.answers)
	for i, a := range r.answers {
		if a.Route != "" {
			n.matched++
		}
		if c := r.choices[i]; c != nil && c.declines() {
			n.declined++
		}
	}
}

func (n *tally) String() string {
	return fmt.Sprintf("%d route configurations (and %d that Envoy refuses), %d requests, %d of them on a route, %d that hang on what only Envoy knows: %d configurations with a mismatch",
		n.configurations, n.refused, n.requests, n.matched, n.declined, n.found)
}

func randomRouteCases(seed uint64, from, to int) (all []*routeCase) {
	for i := from; i < to; i++ {
		s := random.New(seed + uint64(i))
		r := &routeCase{Routes: s.Routes(), name: fmt.Sprintf("l%d", i)}
		for range requestsPerRouteCase {
			r.requests = append(r.requests, oracle.Request(s.Request(r.Routes)))
		}
		all = append(all, r)
	}
	return all
}

// tryRoutes sends all requests to Envoy and then asks the plugin about them. If recording is true, it returns the cases
// in the form in which they are recorded.
func (j *comparer) tryRoutes(t *testing.T, all []*routeCase, recording bool) []recorded {
	t.Helper()
	host := oracle.Host(rand.Uint64())
	echo := oracle.Address(host, firstPort)
	c := oracle.Config{Lenient: !j.isNewest(), NodeID: "router~127.0.0.1~gateway.default~default.svc.cluster.local", Listeners: []oracle.Message{oracle.Echo(echo)}}
	for i := range random.Clusters {
		c.Clusters = append(c.Clusters, oracle.Cluster(fmt.Sprintf("c%d", i), echo))
	}
	for i, r := range all {
		r.port = firstPort + 1 + i
		var transport oracle.Message
		if r.TLS {
			transport = j.identity.ServerTLS(r.RequestsCert, r.RequiresCert)
		}
		c.Listeners = append(c.Listeners, oracle.Listener(r.name, oracle.Address(host, r.port), oracle.Manager(r.Manager, r.Config), transport))
	}
	e, err := oracle.Start(t.Context(), j.envoy, c)
	must(t, err)
	defer e.Stop()
	refused, err := e.Refused(t.Context())
	must(t, err)
	var served []*routeCase
	for _, r := range all {
		if r.refused = refused[r.name]; r.refused == "" {
			served = append(served, r)
		}
	}
	j.askAll(t, host, served)
	dump, err := e.Dump(t.Context())
	must(t, err)
	path := j.keep(t, "dump.json", dump)
	j.match(t, path, host, served)
	if !recording {
		return nil
	}
	return j.record(t, path, host, served)
}

// askAll sends the requests to Envoy, over one connection per listener.
func (j *comparer) askAll(t *testing.T, host string, all []*routeCase) {
	t.Helper()
	atOnce(8, all, func(r *routeCase) {
		c := oracle.Client{Address: fmt.Sprintf("%s:%d", host, r.port)}
		defer c.Close()
		if r.TLS {
			c.TLS = j.identity.ClientTLS(r.ShowsCert)
		}
		r.answers = make([]oracle.Answer, len(r.requests))
		for i, q := range r.requests {
			a, err := c.Ask(t.Context(), q)
			if err != nil {
				t.Error(err)
				return
			}
			r.answers[i] = a
		}
	})
}

// match asks the plugin for the routes of all requests.
func (j *comparer) match(t *testing.T, dump, host string, all []*routeCase) {
	t.Helper()
	type asked struct {
		Listener string           `json:"listener"`
		Requests []map[string]any `json:"requests"`
	}
	var cases []asked
	for _, r := range all {
		c := asked{Listener: r.name}
		for _, q := range r.requests {
			c.Requests = append(c.Requests, r.matchArgument(q, host))
		}
		cases = append(cases, c)
	}
	lines := j.ask(t, dump, cases, `.proxies[0] as $proxy | $cases[0][] | .listener as $name | $proxy.listener($name) as $listener | .requests[] as $request
		| [$listener.match($request)][0] | if . then {name, cluster, clusters, url, redirectTo, directStatus, unsupported} end`)
	for _, r := range all {
		r.choices = make([]*choice, len(r.requests))
		for i := range r.requests {
			if len(lines) == 0 {
				t.Fatal("there are fewer answers than requests")
			}
			if err := json.Unmarshal(lines[0], &r.choices[i]); err != nil {
				t.Fatalf("%q: %v", lines[0], err)
			}
			lines = lines[1:]
		}
	}
}
