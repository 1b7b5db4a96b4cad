package e2e_test

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

const ratingsCluster = "outbound|9080||ratings.default.svc.cluster.local"

// asked returns the requests that each Envoy received while f ran, by workload.
func (w *world) asked(t *testing.T, f func()) map[string][]mesh.Request {
	t.Helper()
	before := map[string]int{}
	for _, p := range w.Proxies {
		before[p.Workload] = len(w.requests(t, p))
	}
	f()
	asked := map[string][]mesh.Request{}
	for _, p := range w.Proxies {
		if now := w.requests(t, p); len(now) > before[p.Workload] {
			asked[p.Workload] = now[before[p.Workload]:]
		}
	}
	return asked
}

func (w *world) requests(t *testing.T, p *mesh.Proxy) []mesh.Request {
	t.Helper()
	all, err := p.Requests(t.Context())
	must(t, err)
	return all
}

// noEnvoyIsAsked checks that queries about what istiod and Kubernetes know send no request to any Envoy.
func noEnvoyIsAsked(t *testing.T, w *world) {
	w.stall(t, "reviews-v2")
	asked := w.asked(t, func() {
		w.ask(t, `.proxies[] | select(.rds=="STALE") | .name`).exits(0).quiet().is(w.proxy(t, "reviews-v2").Pod)
		w.ask(t).exits(0).quiet()
		w.ask(t, `.proxies[] | outline | .sync`).exits(0).quiet()
		w.ask(t, "-l", "app=reviews", "-n", "default", "-o", "name").exits(0).quiet()
	})
	if len(asked) != 0 {
		t.Errorf("Envoys were asked: %+v", asked)
	}
}

// oneClusterIsOneRequest checks that reading a cluster by name costs one small request to one Envoy.
func oneClusterIsOneRequest(t *testing.T, w *world) {
	asked := w.asked(t, func() {
		w.ask(t, `.proxy("reviews-v1").cluster("`+ratingsCluster+`") | [.name, .type, .state]`).exits(0).quiet().
			is([]any{ratingsCluster, "EDS", "ACTIVE"})
	})
	got := asked["reviews-v1"]
	if len(asked) != 1 || len(got) != 1 {
		t.Fatalf("want one request to reviews-v1: %+v", asked)
	}
	if got[0].Bytes > 20_000 || !strings.Contains(got[0].Path, "name_regex=") {
		t.Errorf("want a request for one cluster: %+v", got[0])
	}
}

// envoySaysTheSame compares names and counts in each section with those in Envoy's own dump.
func envoySaysTheSame(t *testing.T, w *world) {
	clusters, listeners, routes := []any{}, []any{}, []any{}
	for _, p := range w.byID() {
		d := dumpOf(t, p)
		clusters = append(clusters, []any{p.ID(), d.clusters})
		listeners = append(listeners, []any{p.ID(), d.listeners})
		routes = append(routes, []any{p.ID(), d.routes})
	}
	w.ask(t, `.proxies[] | [.id, ([.clusters[] | select(.state=="ACTIVE" or .state=="STATIC") | .name] | length)]`).exits(0).quiet().is(clusters...)
	w.ask(t, `.proxies[] | [.id, ([.listeners[] | select(.state=="ACTIVE") | .name] | sort)]`).exits(0).quiet().is(listeners...)
	w.ask(t, `.proxies[] | [.id, ([.routes[] | select(.state=="ACTIVE") | .name] | sort)]`).exits(0).quiet().is(routes...)
}

// noConnectionIsLeft checks that a finished run has closed all its connections: in the API server, in the kubelet and
// in Envoy.
func noConnectionIsLeft(t *testing.T, w *world) {
	w.ask(t, `[.proxies[] | .clusters, .listeners, .routes, .endpoints, .secrets, .stats, .server | length > 0] | all`).exits(0).quiet().is(true)
	for _, p := range w.Proxies {
		w.released(t, p)
		w.eventually(t, p.ID()+" has our own connection only", func(ctx context.Context) (bool, error) {
			n, err := p.Stat(ctx, "http.admin.downstream_cx_active")
			return n == 1, err
		})
	}
}

// released waits until no port-forward to the proxy's pod is open.
func (w *world) released(t *testing.T, p *mesh.Proxy) {
	t.Helper()
	w.eventually(t, "nobody is connected to "+p.ID(), func(context.Context) (bool, error) { return p.Sessions() == 0, nil })
}

// wholeWalkIsRefused checks that a query may not read more whole live proxies than --max-fetch allows, and that
// outlines don't count.
func wholeWalkIsRefused(t *testing.T, w *world) {
	w.ask(t, "[.proxies[]] | tojson | length", "--max-fetch", "3").exits(2).says("error:", "more than 3 whole proxies").lines(1).is()
	w.ask(t, "[.proxies[]] | tojson | length > 100000", "--max-fetch", "7").exits(0).quiet().is(true)
	w.ask(t, "[.proxies[] | outline] | length", "--max-fetch", "3").exits(0).quiet().is(7)
	w.ask(t, "[.proxies[] | .clusters, .routes | length > 0] | all", "--max-fetch", "3").exits(0).quiet().is(true)
}

// restricted checks the kubectl flags that select fewer proxies.
func restricted(t *testing.T, w *world) {
	for _, c := range []struct {
		words []string
		want  int
	}{
		{[]string{"-n", "istio-system"}, 1},
		{[]string{"-l", "app=reviews,version!=v2"}, 2},
		{[]string{"-n", "default", "-l", "version=v1"}, 4},
		{[]string{"--revision", "default"}, 7},
		{[]string{"--revision", "default", "-A"}, 7},
	} {
		w.ask(t, append(c.words, "[.proxies[]] | length")...).exits(0).quiet().is(c.want)
	}
	w.ask(t, ".proxies[] | .name", "reviews-v1").exits(0).quiet().is(w.proxy(t, "reviews-v1").Pod)
	w.ask(t, "--revision", "canary", ".pilots | length").exits(6).says("no running istiod of revision canary").is(0)
}

func adminPortOfThePod(t *testing.T, w *world) {
	p := w.proxy(t, "ratings-v1")
	if p.AdminPort == 15000 {
		t.Fatal("the proxy's admin port is the usual one")
	}
	asked := w.asked(t, func() {
		w.ask(t, `.proxy("ratings-v1").server | .version | test("/1.40.0/")`).exits(0).quiet().is(true)
	})
	if len(asked["ratings-v1"]) == 0 {
		t.Errorf("its Envoy was not asked: %+v", asked)
	}
	w.ask(t, `.proxy("ratings-v1").server | .version`, "--proxy-admin-port", "15000").exits(6).
		says(p.ID(), "server", "15000").lines(1)
}

// direct checks queries without Kubernetes, which connect to istiod and Envoys by URL.
func direct(t *testing.T, w *world) {
	words := []string{"--pilot", w.Istiods[0].URL()}
	ids := []any{}
	for _, p := range w.byID() {
		words = append(words, "--envoy", p.URL())
		ids = append(ids, p.ID())
	}
	nowhere := w.folder(t) + "/none"
	w.askAs(t, nowhere, append(words, "[.proxies[].id]")...).exits(0).quiet().is(ids)
	w.askAs(t, nowhere, append(words, "all(.proxies[]; synced)")...).exits(0).quiet().is(true)
	w.askAs(t, nowhere, append(words, `.proxy("reviews-v1").cluster("`+ratingsCluster+`").name`)...).exits(0).quiet().is(ratingsCluster)
	w.askAs(t, nowhere, append(words, `[.proxies[] | .clusters | length > 10] | all`)...).exits(0).quiet().is(true)
}

// contexts checks a query about two clusters as one mesh. Both contexts refer to the same cluster.
func contexts(t *testing.T, w *world) {
	b, err := os.ReadFile(w.least)
	must(t, err)
	two := w.folder(t) + "/two"
	must(t, os.WriteFile(two, twice(t, b), 0o600))
	want := []any{[]any{"a", 7}, []any{"b", 7}}
	w.askAs(t, two, "--contexts", "a,b", `[.proxies[] | .context] | group_by(.)[] | [.[0], length]`).exits(0).quiet().is(want...)
	w.askAs(t, two, "--contexts", "a,b", `[.proxies[] | select(.context=="b") | .clusters | length > 10] | all`).exits(0).quiet().is(true)
}

// twice returns a kubeconfig whose one context exists twice, as "a" and "b".
func twice(t *testing.T, kubeconfig []byte) []byte {
	t.Helper()
	c, err := clientcmd.Load(kubeconfig)
	must(t, err)
	c.Contexts["a"], c.Contexts["b"] = c.Contexts[mesh.Context], c.Contexts[mesh.Context]
	b, err := clientcmd.Write(*c)
	must(t, err)
	return b
}

// readOnly checks all requests that all scenarios have sent to Envoys: none changed anything, apart from log levels,
// and no Envoy got two requests at once.
func readOnly(t *testing.T, w *world) {
	total, set := 0, 0
	for _, p := range w.Proxies {
		all := w.requests(t, p)
		total += len(all)
		for i, r := range all {
			switch {
			case r.Method == "POST" && strings.HasPrefix(r.Path, "/logging?"):
				set++
			case r.Method != "GET" && (r.Method != "POST" || r.Path != "/logging"):
				t.Errorf("%s: %+v", p.ID(), r)
			}
			if i > 0 && r.Began().Before(all[i-1].Ended()) && r.Began().After(all[i-1].Began()) {
				t.Errorf("%s: two requests at once: %+v %+v", p.ID(), all[i-1], r)
			}
		}
	}
	if total == 0 {
		t.Error("no request was seen")
	}
	if set != 0 && set != levelsSet { // no levels were set if that scenario didn't run
		t.Errorf("levels were set %d times, and asked to be set %d times", set, levelsSet)
	}
	t.Logf("%d requests", total)
}

// A dump holds the names in a proxy's config dump, read from Envoy directly.
type dump struct {
	clusters          int
	listeners, routes []string
}

func dumpOf(t *testing.T, p *mesh.Proxy) (d dump) {
	t.Helper()
	var all struct {
		Configs []struct {
			Static  []json.RawMessage `json:"static_clusters"`
			Dynamic []json.RawMessage `json:"dynamic_active_clusters"`
			Active  []struct {
				Name   string           `json:"name"`
				Active *json.RawMessage `json:"active_state"`
			} `json:"dynamic_listeners"`
			Routes []struct {
				Config struct{ Name string } `json:"route_config"`
			} `json:"dynamic_route_configs"`
		} `json:"configs"`
	}
	must(t, p.Get(t.Context(), "/config_dump", &all))
	for _, c := range all.Configs {
		d.clusters += len(c.Static) + len(c.Dynamic)
		for _, l := range c.Active {
			if l.Active != nil {
				d.listeners = append(d.listeners, l.Name)
			}
		}
		for _, r := range c.Routes {
			d.routes = append(d.routes, r.Config.Name)
		}
	}
	slices.Sort(d.listeners)
	slices.Sort(d.routes)
	return d
}
