package ambient

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/test/program"
)

// TestRealRequests has what real requests did in the recorded mesh (see
// ../shared/cases/README.md): five through the waypoint, three that only ztunnels
// decide.
func TestRealRequests(t *testing.T) {
	for _, mesh := range meshes() {
		for _, c := range []struct {
			args    string
			status  int
			reason  string
			arrives map[string]float64
		}{
			{"web-v1.shop http://cart.shop/", 0, "", map[string]float64{"cart-v1": 0.8, "cart-v2": 0.2}},
			{"web-v1.shop http://cart.shop/slow", 0, "", map[string]float64{"cart-v2": 1}},
			{"web-v1.shop http://cart.shop/admin", 403, "DENIED", nil},
			{"web-v1.shop http://cart.shop/ --method POST", 403, "DENIED", nil},
			{"deploy/web-v1 http://cart:80/anything", 0, "", map[string]float64{"cart-v1": 0.8, "cart-v2": 0.2}},
			{"productpage-v1 tcp://ledger.bank:5432", 0, "DENIED", nil},
			{"teller-v1.bank tcp://ledger.bank:5432", 0, "", map[string]float64{"ledger-v1": 1}},
			{"productpage-v1 http://orders.shop/", 0, "", map[string]float64{"orders-v1": 1}},
		} {
			t.Run(mesh+" "+c.args, func(t *testing.T) {
				got, code := trace(t, mesh, strings.Fields(c.args)...)
				want := 0
				if c.reason != "" {
					want = 1
				}
				reason := ""
				if got.Reason != nil {
					reason = *got.Reason
				}
				if code != want || got.Status != c.status || reason != c.reason || got.Reached != (c.reason == "") {
					t.Errorf("exit code %d, status %d, reason %q, reached %v", code, got.Status, reason, got.Reached)
				}
				if c.arrives == nil {
					return
				}
				if d := cmp.Diff(c.arrives, got.arrived()); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// TestClosedCases has the inputs of the recorded mesh on which the plugin once was
// wrong.
func TestClosedCases(t *testing.T) {
	const orders = `{"name": "orders-viewer", "namespace": "shop", "action": "Allow", "scope": "WorkloadSelector", "dryRun": false,
		"rules": [[[{"principals": [{"Prefix": "cluster.local/ns/default/"}], "notNamespaces": [{"Exact": "bank"}]}]]]}`
	reason := func(r *traced) string {
		if r.Reason == nil {
			return ""
		}
		return *r.Reason
	}
	t.Run("A1: a form of a policy is read as ztunnel writes it", func(t *testing.T) {
		got, code := trace(t, "demo-ambient", "productpage-v1", "tcp://ledger.bank:5432", "--through")
		if code != 1 || reason(got) != "DENIED" {
			t.Errorf("exit code %d, %s", code, reason(got))
		}
	})
	t.Run("A2: notNamespaces", func(t *testing.T) {
		mesh := changed(t, map[string]func(map[string]any){zTunnel31: addPolicy(t, "orders-v1", orders)})
		for client, want := range map[string]string{"productpage-v1": "", "web-v1.shop": "DENIED"} {
			got, _ := trace(t, mesh, client, "http://orders.shop/")
			if reason(got) != want {
				t.Errorf("from %s: %q, want %q", client, reason(got), want)
			}
		}
	})
	t.Run("A3: a policy in dry-run mode is reported and never decides", func(t *testing.T) {
		const dry = `{"action": "Deny", "dryRun": true, "name": "dry", "namespace": "bank", "rules": [[[{"destinationPorts": [8080]}]]], "scope": "Namespace"}`
		mesh := changed(t, map[string]func(map[string]any){zTunnel30: addPolicy(t, "", dry)})
		got, code := trace(t, mesh, "teller-v1.bank", "tcp://ledger.bank:5432")
		if code != 0 || !got.Reached {
			t.Fatalf("exit code %d, %s", code, reason(got))
		}
		out, _, _ := program.Run(t, "trace", "--snapshot", mesh, "teller-v1.bank", "tcp://ledger.bank:5432")
		if !strings.Contains(out, "denied  by authorization-policy/dry.bank  (dry run)") {
			t.Error(out)
		}
	})
	t.Run("A4: a ztunnel without CLUSTER_ID is one proxy", func(t *testing.T) {
		pilot := "pilots/istiod-78566f45b4-v5qhf.istio-system/adsz.json"
		mesh := changed(t, map[string]func(map[string]any){pilot: func(v map[string]any) {
			for _, c := range each(v["clients"]) {
				if strings.HasPrefix(text(c["connectionId"]), "ztunnel") || strings.HasPrefix(text(c["connectionId"]), "waypoint") {
					delete(c["metadata"].(map[string]any), "CLUSTER_ID")
				}
			}
		}})
		removeClusterID(t, mesh)
		out, errs, code := program.Run(t, "--snapshot", mesh, "-c", `[.proxies[] | select(.type == "ztunnel" or .type == "waypoint") | [.id, .clusterID, .connected]]`)
		if want := `[["waypoint-7c9f5d6b8-k2wzj.shop","Kubernetes",true],["ztunnel-4vx8q.istio-system","Kubernetes",true],["ztunnel-m9c2h.istio-system","Kubernetes",true]]` + "\n"; out != want || code != 0 {
			t.Errorf("exit code %d: %s%s", code, out, errs)
		}
		if out, errs, code := program.Run(t, "--snapshot", mesh, "disconnected"); out != "" || code != 0 {
			t.Errorf("exit code %d: %s%s", code, out, errs)
		}
	})
	t.Run("A5: a ztunnel that was not read ends the walk as unknown", func(t *testing.T) {
		mesh := changed(t, map[string]func(map[string]any){zTunnel31: nil})
		for _, args := range []string{"productpage-v1 http://orders.shop/ --through", "productpage-v1 http://orders.shop/", "web-v1.shop http://orders.shop/"} {
			got, code := trace(t, mesh, strings.Fields(args)...)
			if code != 6 || reason(got) != "UNKNOWN" || len(got.Steps) < 2 || len(got.Unknowns) == 0 || !strings.Contains(got.Unknowns[0].What, "ztunnel-m9c2h") {
				t.Errorf("%s: exit code %d, %s, %d steps, %v", args, code, reason(got), len(got.Steps), got.Unknowns)
			}
		}
	})
	t.Run("A6: a trace begins at a workload", func(t *testing.T) {
		got, code := trace(t, "demo-ambient", "web-v1.shop", "http://cart.shop/")
		if code != 0 || got.Workload == nil || *got.Workload != "web-v1-5f6d7c8b9-aaaaa.shop" || *got.Proxy != "ztunnel-4vx8q.istio-system" {
			t.Errorf("exit code %d, %+v", code, got)
		}
	})
	t.Run("A7: sections of all proxies", func(t *testing.T) {
		for _, name := range []string{"clusters", "listeners", "routes", "endpoints", "extensions", "log"} {
			if _, errs, code := program.Run(t, "--snapshot", "demo-ambient", name); code != 0 {
				t.Errorf("%s: exit code %d: %s", name, code, errs)
			}
		}
	})
	t.Run("A8: a route has the name of its HTTPRoute", func(t *testing.T) {
		out, _, _ := program.Run(t, "--snapshot", "demo-ambient", "-c", `[.proxy("waypoint").routes[].virtualHosts[].routes[].virtualService | values] | unique`)
		if out != `["httproute/cart.shop"]`+"\n" {
			t.Error(out)
		}
		got, _ := trace(t, "demo-ambient", "web-v1.shop", "http://cart.shop/")
		text, _ := json.Marshal(got)
		if !strings.Contains(string(text), `"httproute/cart.shop"`) || strings.Contains(string(text), "virtual-service") {
			t.Errorf("%s", text)
		}
	})
}
