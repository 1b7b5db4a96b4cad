package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

// routed adds more complex routing to the mesh until the scenario ends.
func (w *world) routed(t *testing.T) {
	t.Helper()
	file, err := filepath.Abs("testdata/routed.yaml")
	must(t, err)
	w.administer(t, "apply", "--server-side", "--field-manager=e2e", "--force-conflicts", "-n", "default", "-f", file)
	t.Cleanup(func() {
		w.administer(t, "delete", "-n", "default", "-f", file)
		w.awaitConfig(t, "istio-ingressgateway", "0.0.0.0_9999", false)
		w.awaitConfig(t, "ratings-v1", "no-secrets", false)
	})
	w.awaitConfig(t, "istio-ingressgateway", "0.0.0.0_9999", true)
	for _, p := range w.Proxies {
		if p.Workload != "istio-ingressgateway" {
			w.awaitConfig(t, p.Workload, "api.external.example", true)
			w.awaitConfig(t, p.Workload, "/rx/[0-9]+", true)
		}
	}
	w.awaitConfig(t, "ratings-v1", "no-secrets", true)
	must(t, w.AwaitSynced(t.Context()))
}

// awaitConfig waits until a proxy's configuration contains a word, or no longer contains it. It may be called during
// cleanup.
func (w *world) awaitConfig(t *testing.T, workload, word string, want bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
	defer cancel()
	for {
		dump, err := dumped(ctx, w.proxy(t, workload))
		if err == nil && strings.Contains(string(dump), word) == want {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s in the configuration of %s: %v (%v)", word, workload, want, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func dumped(ctx context.Context, p *mesh.Proxy) (b json.RawMessage, err error) {
	err = p.Get(ctx, "/config_dump", &b)
	return b, err
}

// traceAsReplicas compares trace, for the proxies of the whole mesh, with replicas of their Envoys.
func traceAsReplicas(t *testing.T, w *world) {
	w.routed(t)
	file := filepath.Join(w.folder(t), "mesh.tar.zst")
	w.askAs(t, w.Kubeconfig, "snapshot", file).exits(0)
	var all []subject
	for _, p := range w.byID() {
		dump, err := dumped(t.Context(), p)
		must(t, err)
		all = append(all, subject{p.ID(), p.IP, dump})
	}
	comparerOf(t, filepath.Join(w.path, "kubectl-meshq")).compareTraces(t, file, all)
}

// tracedLines are arguments of trace as a user types them. They cover the gateway and sidecars, hosts with and without
// a port, Bookinfo's paths, unknown hosts, TLS and TCP.
const tracedLines = `
istio-ingressgateway http://bookinfo.example.com/productpage
istio-ingressgateway http://bookinfo.example.com:8080/productpage
istio-ingressgateway http://bookinfo.example.com/static/bootstrap.css
istio-ingressgateway http://bookinfo.example.com/login
istio-ingressgateway http://bookinfo.example.com/logout?x=1
istio-ingressgateway http://bookinfo.example.com/api/v1/products/0/reviews
istio-ingressgateway http://bookinfo.example.com/unknown
istio-ingressgateway http://10.1.2.3/productpage/
istio-ingressgateway http://bookinfo.example.com/login --method POST
istio-ingressgateway http://secure.example:8081/a?b=c
istio-ingressgateway http://other.example:8081/
istio-ingressgateway tls://db.pass.example:8444
istio-ingressgateway tls://other.pass.example:8444
istio-ingressgateway tls://10.1.2.3:8444 --sni db.pass.example
istio-ingressgateway tcp://any.example:9999
istio-ingressgateway http://any.example:9999/
istio-ingressgateway http://bookinfo.example.com:1234/
productpage-v1 http://reviews:9080/reviews/1
productpage-v1 http://reviews:9080/reviews/1 --header end-user:jason
productpage-v1 http://reviews.default:9080/reviews/1 --header end-user:Jason
productpage-v1 http://reviews.default.svc.cluster.local:9080/api/1
productpage-v1 http://REVIEWS:9080/old
productpage-v1 http://reviews:9080/rx/12?q=1
productpage-v1 http://reviews:9080/rx/12?q=2
productpage-v1 http://reviews:9080/broken/x
productpage-v1 http://reviews:9080/gone --method POST
productpage-v1 http://details:9080/details/0
productpage-v1 http://unknown.example:9080/
productpage-v1 http://unknown.example/
productpage-v1 http://api.external.example/
productpage-v1 https://api.external.example/
productpage-v1 https://a.wild.example/
productpage-v1 https://unknown.example/
productpage-v1 https://10.1.2.3/ --sni api.external.example
productpage-v1 tcp://unknown.example:5432
productpage-v1 tcp://kubernetes:443
productpage-v1 tcp://reviews:9080
reviews-v2 http://ratings:9080/ratings/0
reviews-v3 http://ratings.default:9080/ratings/0?x
ratings-v1 http://productpage:9080/productpage --header accept:text/html
details-v1 tls://reviews:9080
details-v1 http://istio-ingressgateway.istio-system/productpage
`

// firstUseCase checks the project's first use case: one command traces a request from a gateway to an endpoint.
func firstUseCase(t *testing.T, w *world) {
	var way struct {
		Steps     []struct{ Step, Name string }
		Endpoints []struct{ Address, Health string }
		Reached   bool
	}
	a := w.askAs(t, w.Kubeconfig, "trace", "istio-ingressgateway", "http://bookinfo.example.com/productpage", "-o", "json").exits(0).quiet()
	must(t, json.Unmarshal([]byte(a.out), &way))
	var steps []string
	for _, s := range way.Steps {
		steps = append(steps, strings.TrimSpace(s.Step+" "+s.Name))
	}
	for _, want := range []string{"listener 0.0.0.0_8080", "route configuration http.8080", "route /productpage", "cluster outbound|9080||productpage.default.svc.cluster.local"} {
		if !slices.Contains(steps, want) {
			t.Errorf("no step %q: %q", want, steps)
		}
	}
	address := w.proxy(t, "productpage-v1").IP + ":9080"
	if !way.Reached || len(way.Endpoints) != 1 || way.Endpoints[0].Address != address || way.Endpoints[0].Health != "HEALTHY" {
		t.Errorf("want one healthy endpoint, %s: %+v", address, way)
	}
}

// tracesAsEnvoys compares the cluster that "kubectl meshq trace PROXY URL" prints with the one that a replica of the
// proxy's Envoy chooses.
func tracesAsEnvoys(t *testing.T, w *world) {
	w.routed(t)
	lines := strings.Split(strings.TrimSpace(tracedLines), "\n")
	if len(lines) < 40 {
		t.Errorf("only %d requests are tried", len(lines))
	}
	j := comparerOf(t, filepath.Join(w.path, "kubectl-meshq"))
	services := w.services(t)
	byProxy := map[string][]*call{}
	for _, line := range lines {
		words := strings.Fields(line)
		k := parseCall(t, words[1:], services)
		if k.listener = "virtualOutbound"; words[0] == "istio-ingressgateway" {
			if k.port == 80 { // the port of the gateway's Service
				k.port = 8080
			}
			k.listener = fmt.Sprintf("0.0.0.0_%d", k.port)
		}
		k.line = line
		k.setPluginResult(t, []byte(w.askAs(t, w.Kubeconfig, append([]string{"trace", "-o", "json"}, words...)...).quiet().out))
		byProxy[words[0]] = append(byProxy[words[0]], k)
	}
	for workload, calls := range byProxy {
		p := w.proxy(t, workload)
		dump, err := dumped(t.Context(), p)
		must(t, err)
		j.callReplica(t, subject{p.ID(), p.IP, dump}, calls)
		for _, k := range calls {
			t.Logf("%s: %s", k.line, k.envoy)
			if k.plugin != k.envoy {
				t.Errorf("%s: Envoy: %s; the plugin: %s", k.line, k.envoy, k.plugin)
			}
		}
	}
}

// services returns the cluster IPs of all Services, by name and by name.namespace.
func (w *world) services(t *testing.T) map[string]string {
	t.Helper()
	a := w.start(t, w.Kubeconfig, "get", "services", "-A", "-o", `jsonpath={range .items[*]}{.metadata.name} {.metadata.namespace} {.spec.clusterIP}{"\n"}{end}`).end().exits(0)
	ips := map[string]string{}
	for line := range strings.Lines(a.out) {
		f := strings.Fields(line)
		ips[f[0]], ips[f[0]+"."+f[1]] = f[2], f[2]
	}
	return ips
}

// parseCall returns the call that the arguments of trace describe.
func parseCall(t *testing.T, words []string, services map[string]string) *call {
	t.Helper()
	u, err := url.Parse(words[0])
	must(t, err)
	k := &call{port: 80, destination: "10.1.2.3", http: strings.HasPrefix(u.Scheme, "http"), tls: u.Scheme == "https" || u.Scheme == "tls"}
	if k.tls {
		k.port, k.sni = 443, u.Hostname()
	}
	if p := u.Port(); p != "" {
		_, err := fmt.Sscan(p, &k.port)
		must(t, err)
	}
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".svc.cluster.local")
	if ip := services[name]; ip != "" {
		k.destination = ip
	}
	k.Method, k.Host, k.Path = "GET", u.Host, u.RequestURI()
	for i := 1; i+1 < len(words); i += 2 {
		switch v := words[i+1]; words[i] {
		case "--method":
			k.Method = v
		case "--sni":
			k.sni = v
		case "--header":
			name, value, _ := strings.Cut(v, ":")
			k.Headers = append(k.Headers, [2]string{name, value})
		}
	}
	return k
}
