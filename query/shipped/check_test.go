package shipped_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// now is the current time in all tests of checks.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// found runs a check on a document and returns the id and severity of each
// finding.
func found(t *testing.T, name, doc string) (out []string) {
	t.Helper()
	for _, f := range findings(t, name, doc) {
		out = append(out, fmt.Sprint(f.Get("severity"), " ", f.Get("id")))
	}
	return out
}

// findings runs a check on a document.
func findings(t *testing.T, name, doc string) (out []*object.Object) {
	t.Helper()
	q, ok := shipped.Find(name, shipped.All())
	if !ok {
		t.Fatalf("there is no check %s", name)
	}
	var names []string
	var values []any
	for _, a := range q.Args {
		names, values = append(names, "$"+a.Variable()), append(values, a.Unset())
	}
	p, err := query.Compile(q.Program(), query.Options{File: name, Variables: names, Unknown: q.Unknown()})
	if err != nil {
		t.Fatal(err)
	}
	var in any
	if err := object.Unmarshal([]byte(doc), &in); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	o := eval.RunOptions{Now: func() float64 { return float64(now.Unix()) }}
	err = p.Run(context.Background(), in, values, o, func(v any) error {
		f := v.(*object.Object)
		if f.Get("kind") != "Finding" || f.Get("message") == "" || f.Get("next") == "" {
			t.Errorf("%v is no finding", f)
		}
		out = append(out, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sidecar returns a mesh with one proxy that has the given fields.
func sidecar(fields string) string {
	return `{"pilots": [{"name": "p", "version": "1.31.0"}], "virtualServices": [], "faults": [], "proxies": [{"kind": "Proxy", "id": "a.b", "type": "sidecar", "connected": true,
		"pilot": "p", "version": "1.31.0", "sync": {"cds": {"status": "SYNCED", "pushesBehind": 0}},
		"clusters": [], "listeners": [], "routes": [], "endpoints": [], "secrets": [], "extensions": [], ` + fields + `}]}`
}

func routes(of ...string) string {
	return `"routes": [{"name": "80", "state": "ACTIVE", "virtualHosts": [{"name": "c:80", "domains": ["c"], "routes": [` + strings.Join(of, ",") + `]}]}]`
}

func route(match string) string { return `{"match": ` + match + `, "virtualService": "v.n"}` }

// to returns a route to a cluster. virtualService is null, or the JSON string
// of the VirtualService that it comes from.
func to(cluster, virtualService string) string {
	return fmt.Sprintf(`{"match": {"prefix": "/"}, "routeConfiguration": "80", "destinations": [{"cluster": %q}], "virtualService": %s}`, cluster, virtualService)
}

func secret(notBefore, notAfter time.Duration) string {
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	return fmt.Sprintf(`"secrets": [{"name": "default", "type": "Cert Chain", "state": "ACTIVE", "serialNumber": "1", "notBefore": %q, "notAfter": %q}]`, at(notBefore), at(notAfter))
}

// TestChecks runs each check on a document with the fault that it looks for,
// and on similar documents without the fault.
func TestChecks(t *testing.T) {
	const vs = `{"kind": "VirtualService", "metadata": {"name": %q, "namespace": "n"}, "spec": {"hosts": [%q], "gateways": %s}}`
	services := func(all ...string) string {
		return `{"pilots": [], "proxies": [], "virtualServices": [` + strings.Join(all, ",") + `]}`
	}
	inbound := func(transport string) string {
		return `"listeners": [{"name": "virtualInbound", "state": "ACTIVE", "filterChains": [
			{"filterChainMatch": {"destinationPort": 9080}, "transportSocket": {}}, {"filterChainMatch": {"destinationPort": 9080}` + transport + `},
			{"filterChainMatch": {"destinationPort": 15006}}, {"filterChainMatch": {}}]}]`
	}
	const a1 = `{"name": "outbound|80||c", "state": "ACTIVE", "type": "EDS"}`
	endpoints := func(health ...string) string {
		var all []string
		for _, h := range health {
			all = append(all, fmt.Sprintf(`{"cluster": "outbound|80||c", "health": %q}`, h))
		}
		return `"clusters": [` + a1 + `], "endpoints": [` + strings.Join(all, ",") + `]`
	}
	for _, c := range []struct {
		check, name, doc string
		want             []string
	}{
		{"stale", "for long", sidecar(`"sync": {"cds": {"status": "STALE", "age": 6}}`), []string{"error stale/a.b"}},
		{"stale", "just now", sidecar(`"sync": {"cds": {"status": "STALE", "age": 4}}`), nil},
		{"rejected", "refused", sidecar(`"sync": {"lds": {"status": "ERROR", "error": "no\n"}, "cds": {"status": "SYNCED"}}`), []string{"error rejected/a.b/LDS"}},
		{"disconnected", "no Pilot", sidecar(`"connected": false`), []string{"error disconnected/a.b"}},
		{"disconnected", "not known", sidecar(`"connected": null`), []string{"unknown disconnected/a.b/unknown"}},
		{"behind", "far", sidecar(`"sync": {"cds": {"status": "SYNCED", "pushesBehind": 5}}`), []string{"warning behind/a.b"}},
		{"behind", "near", sidecar(`"sync": {"cds": {"status": "SYNCED", "pushesBehind": 4}, "eds": {"status": "STALE", "pushesBehind": 9}}`), nil},
		{"skew", "two minors", `{"pilots": [{"name": "p", "version": "1.31.0"}], "proxies": [{"kind": "Proxy", "id": "a.b", "pilot": "p", "version": "1.29.4"}]}`, []string{"warning skew/a.b"}},
		{"skew", "one minor", `{"pilots": [{"name": "p", "version": "1.31.0"}], "proxies": [{"kind": "Proxy", "id": "a.b", "pilot": "p", "version": "1.30.4"}]}`, []string{"info skew/a.b"}},
		{"skew", "ahead", `{"pilots": [{"name": "p", "version": "1.31.0"}], "proxies": [{"kind": "Proxy", "id": "a.b", "pilot": "p", "version": "1.32.0"}]}`, []string{"warning skew/a.b"}},
		{"skew", "alike, or not known", `{"pilots": [{"name": "p", "version": "1.31.0-alpha"}, {"name": "q", "version": null}], "proxies": [{"kind": "Proxy", "id": "a.b", "pilot": "p", "version": "1.31.0"}, {"kind": "Proxy", "id": "c.b", "pilot": "q", "version": "1.2.3"}]}`, []string{"unknown skew/unknown"}},
		{"expiring", "a fifth left", sidecar(secret(-20*time.Hour, 4*time.Hour)), []string{"warning expiring/a.b/default 1"}},
		{"expiring", "more left", sidecar(secret(-19*time.Hour, 5*time.Hour)), nil},
		{"expiring", "over", sidecar(secret(-20*time.Hour, -time.Second)), []string{"error expiring/a.b/default 1"}},
		{"missing-secrets", "waited for", sidecar(`"secrets": [{"name": "kubernetes://x", "state": "WARMING", "type": null}]`), []string{"warning missing-secrets/a.b/kubernetes://x"}},
		{"missing-clusters", "no such subset", sidecar(`"clusters": [` + a1 + `],` + routes(to("outbound|80|v1|c", `"v.n"`))), []string{"error missing-clusters/outbound|80|v1|c"}},
		{"missing-clusters", "no such port of another", sidecar(`"clusters": [` + a1 + `],` + routes(to("outbound|81||d", `"v.n"`))), []string{"error missing-clusters/outbound|81||d"}},
		{"missing-clusters", "a port that the service has not", sidecar(`"clusters": [{"name": "outbound|9080||c"}],` + routes(to("outbound|80||c", `"v.n"`))), nil},
		{"missing-clusters", "there", sidecar(`"clusters": [` + a1 + `],` + routes(to("outbound|80||c", `null`))), nil},
		{"unhealthy-clusters", "none healthy", sidecar(endpoints("UNHEALTHY", "DRAINING") + "," + routes(to("outbound|80||c", "null"))), []string{"error unhealthy-clusters/outbound|80||c"}},
		{"unhealthy-clusters", "one healthy", sidecar(endpoints("UNHEALTHY", "HEALTHY") + "," + routes(to("outbound|80||c", "null"))), nil},
		{"unhealthy-clusters", "none at all, of a VirtualService", sidecar(endpoints() + "," + routes(to("outbound|80||c", `"v.n"`))), []string{"error unhealthy-clusters/outbound|80||c"}},
		{"unhealthy-clusters", "none at all", sidecar(endpoints() + "," + routes(to("outbound|80||c", "null"))), []string{"info unhealthy-clusters/outbound|80||c"}},
		{"unhealthy-clusters", "no route", sidecar(endpoints("UNHEALTHY")), nil},
		{"unhealthy-clusters", "TCP", sidecar(endpoints("UNHEALTHY") + `, "listeners": [{"state": "ACTIVE", "filterChains": [{"filters": [{"typedConfig": {"cluster": "outbound|80||c"}}]}]}]`), []string{"error unhealthy-clusters/outbound|80||c"}},
		{"shadowed-routes", "behind /", sidecar(routes(route(`{"prefix": "/"}`), route(`{"path": "/x"}`))), []string{"warning shadowed-routes/80 c:80 2"}},
		{"shadowed-routes", "behind a longer prefix's shorter", sidecar(routes(route(`{"prefix": "/a"}`), route(`{"prefix": "/ab", "headers": [{}]}`))), []string{"warning shadowed-routes/80 c:80 2"}},
		{"shadowed-routes", "behind / by case", sidecar(routes(route(`{"prefix": "/", "caseSensitive": true}`), route(`{"safeRegex": {"regex": ".*"}}`))), []string{"warning shadowed-routes/80 c:80 2"}},
		{"shadowed-routes", "the same path", sidecar(routes(route(`{"path": "/a"}`), route(`{"path": "/b"}`), route(`{"path": "/a"}`))), []string{"warning shadowed-routes/80 c:80 3"}},
		{"shadowed-routes", "a narrower first", sidecar(routes(route(`{"prefix": "/", "headers": [{}]}`), route(`{"path": "/ab"}`), route(`{"prefix": "/a"}`), route(`{"prefix": "/A", "caseSensitive": false}`), route(`{"prefix": "/"}`))), nil},
		{"shadowed-routes", "some requests only", sidecar(routes(route(`{"prefix": "/", "runtimeFraction": {}}`), route(`{"connectMatcher": {}}`), route(`{"prefix": "/"}`))), nil},
		{"conflicting-domains", "two VirtualServices", services(fmt.Sprintf(vs, "v", "c", "null"), fmt.Sprintf(vs, "w", "c.n.svc.cluster.local", `["mesh"]`)), []string{"warning conflicting-domains/c.n.svc.cluster.local"}},
		{"conflicting-domains", "of a gateway", services(fmt.Sprintf(vs, "v", "c", "null"), fmt.Sprintf(vs, "w", "c", `["g"]`)), nil},
		{"conflicting-domains", "two virtual hosts", sidecar(`"routes": [{"name": "80", "state": "ACTIVE", "virtualHosts": [{"name": "x", "domains": ["a", "b"]}, {"name": "y", "domains": ["B"]}]}]`), []string{"warning conflicting-domains/80 b"}},
		{"permissive", "plain text", sidecar(inbound("")), []string{"info permissive/port 9080"}},
		{"permissive", "strict", sidecar(inbound(`, "transportSocket": {}`)), nil},
	} {
		if got := found(t, c.check, c.doc); !slices.Equal(got, c.want) {
			t.Errorf("%s, %s: %q, want %q", c.check, c.name, got, c.want)
		}
	}
}

// TestEveryCheckIsFine checks that no check finds anything in a mesh without
// faults.
func TestEveryCheckIsFine(t *testing.T) {
	for _, q := range shipped.Checks() {
		if got := found(t, q.Name, sidecar(`"version": "1.31.0"`)); got != nil {
			t.Errorf("%s finds %q in a mesh where nothing is wrong", q.Name, got)
		}
	}
}
