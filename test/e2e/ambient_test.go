package e2e_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

// TestAmbientMesh runs the scenarios of an ambient mesh: a real istiod, a waypoint whose listeners a plain Envoy
// refuses, and stand-ins of ztunnels that have what istiod sent to them.
func TestAmbientMesh(t *testing.T) {
	w := newAmbientWorld(t)
	for _, s := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{"Status", ambientStatus},
		{"Policies", ambientPolicies},
		{"Traces", ambientTraces},
		{"Levels", ambientLevels},
		{"Stale", ambientStale},
	} {
		t.Run(s.name, func(t *testing.T) { s.test(t, w) })
	}
}

func newAmbientWorld(t *testing.T) *world {
	t.Helper()
	return startWorld(t, mesh.Options{Ambient: true})
}

// ambientStatus compares the status of each proxy with istiod's syncz.
func ambientStatus(t *testing.T, w *world) {
	for _, z := range w.ZTunnels {
		w.ask(t, `.proxy("`+z.Pod+`") | [.type, .connected, .node, .wds, .wads, .cds]`).exits(0).quiet().is([]any{"ztunnel", true, z.Node, "SYNCED", "SYNCED", "IGNORED"})
	}
	w.ask(t, `.proxy("waypoint") | [.type, .connected, .lds, (.sync.lds.error | test("peer_metadata"))]`).exits(0).quiet().is([]any{"waypoint", true, "ERROR", true})
	w.ask(t, `[.proxy("waypoint").listeners[] | select(.state == "REJECTED")] | length > 0`).exits(0).is(true)
}

// ambientPolicies compares workloads, services and policies with what istiod says of them.
func ambientPolicies(t *testing.T, w *world) {
	w.ask(t, `[.proxies[] | select(.type == "ztunnel") | .policies[] | [.name, .action, .scope, .dryRun, .rules]] | unique`).exits(0).is([]any{
		[]any{"ledger-from-teller", "Allow", "WorkloadSelector", false, []any{[]any{
			[]any{map[string]any{"destinationPorts": []any{8080.0}}},
			[]any{map[string]any{"principals": []any{map[string]any{"Exact": "cluster.local/ns/bank/sa/teller"}}}},
		}}},
	})
	w.ask(t, `[.proxies[] | select(.type == "ztunnel") | [.workloads[] | select(.protocol == "HBONE") | .canonicalName] | unique] | unique`).exits(0).is([]any{[]any{"cart", "ledger", "teller", "web"}})
	w.ask(t, `[.proxies[] | select(.type == "ztunnel") | .services[] | select(.name == "cart") | .waypoint.destination] | unique`).exits(0).is([]any{"shop/waypoint.shop.svc.cluster.local"})
}

// traced runs trace and returns its result and its exit code.
func (w *world) traced(t *testing.T, words ...string) (result struct {
	Reason  *string
	Reached bool
	Steps   []struct{ Step, Name, Reason string }
	Through []struct {
		Proxy  string
		Steps  []struct{ Step, Name, Reason string }
		Reason *string
	}
}) {
	t.Helper()
	a := w.ask(t, append([]string{"trace", "-o", "json"}, words...)...)
	if err := json.Unmarshal([]byte(a.out), &result); err != nil {
		t.Fatalf("%q: %v: %s", words, err, []byte(a.out))
	}
	return result
}

// ambientTraces follows connections from workloads through the ztunnels.
func ambientTraces(t *testing.T, w *world) {
	if r := w.traced(t, "teller.bank", "tcp://ledger.bank:5432"); !r.Reached || len(r.Through) != 1 || r.Through[0].Proxy != w.ZTunnels[0].ID() {
		t.Errorf("teller to ledger: %+v", r)
	}
	if r := w.traced(t, "web.shop", "tcp://ledger.bank:5432"); r.Reached || r.Reason == nil || *r.Reason != "DENIED" {
		t.Errorf("web to ledger: %+v", r)
	}
	// the waypoint has no listener, since its Envoy refused it
	if r := w.traced(t, "web.shop", "http://cart.shop/"); r.Reached || r.Reason == nil || *r.Reason != "NO_LISTENER" || len(r.Through) != 1 || !strings.HasPrefix(r.Through[0].Proxy, "waypoint-") {
		t.Errorf("web to cart: %+v", r)
	}
}

// ambientStale stalls a ztunnel and changes policies. The other ztunnel applies them.
func ambientStale(t *testing.T, w *world) {
	stalled, other := w.ZTunnels[0], w.ZTunnels[1]
	must(t, w.StallZTunnel(t.Context(), stalled))
	t.Cleanup(func() { w.ResumeZTunnel(stalled) })
	w.eventually(t, "the ztunnel is STALE", func(context.Context) (bool, error) {
		return strings.TrimSpace(w.ask(t, `.proxy("`+stalled.Pod+`").wads`, "-r").out) == "STALE", nil
	})
	w.ask(t, `.proxy("`+other.Pod+`") | .wads == "SYNCED" and any(.policies[]; .name == "bank-deny-shop")`).exits(0).is(true)
	w.ask(t, `.proxy("`+stalled.Pod+`") | any(.policies[]; .name == "bank-deny-shop")`).exits(0).is(false)
	w.eventually(t, "the check stale finds it", func(context.Context) (bool, error) {
		return strings.Contains(w.ask(t, "stale", "--longer-than", "1s", "-o", "json").out, stalled.ID()), nil
	})
	named := false
	r := w.traced(t, "teller.bank", "tcp://ledger.bank:5432")
	for _, next := range r.Through {
		for _, s := range next.Steps {
			named = named || s.Name == "STALE" && strings.Contains(s.Reason, stalled.ID())
		}
	}
	if !r.Reached || !named {
		t.Errorf("the trace does not say that %s is STALE: %+v", stalled.ID(), r)
	}
	w.ResumeZTunnel(stalled)
	must(t, w.AwaitAmbient(t.Context()))
	w.ask(t, `.proxy("`+stalled.Pod+`") | [.wads, any(.policies[]; .name == "bank-deny-shop")]`).exits(0).is([]any{"SYNCED", true})
}

// ambientLevels reads and sets the log levels of ztunnels, under istioctl's spelling.
func ambientLevels(t *testing.T, w *world) {
	const off = "hickory_server::server::server_future"
	first, second := w.ZTunnels[0].ID(), w.ZTunnels[1].ID()
	row := func(proxy, logger, level string) any {
		return map[string]any{"proxy": proxy, "logger": logger, "level": level}
	}
	is := func(rows ...any) {
		t.Helper()
		w.ask(t, `[.proxies[] | select(.type == "ztunnel") | .id as $proxy | .loggers | to_entries[] | {proxy: $proxy, logger: .key, level: .value}]`).exits(0).quiet().is(rows)
	}
	is(row(first, off, "off"), row(first, "default", "info"), row(second, off, "off"), row(second, "default", "info"))
	w.ask(t, "zc", "log", w.ZTunnels[0].Pod+".istio-system", "--level", "debug").exits(0)
	is(row(first, off, "off"), row(first, "default", "debug"), row(second, off, "off"), row(second, "default", "info"))
	w.ask(t, "zc", "log", "--level", "warning").exits(0)
	is(row(first, off, "off"), row(first, "default", "warn"), row(second, off, "off"), row(second, "default", "warn"))
	w.ask(t, "zc", "log", "--reset").exits(0)
	is(row(first, off, "off"), row(first, "default", "info"), row(second, off, "off"), row(second, "default", "info"))
}
