package ambient

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

// TestWaypointIsBypassed has the reasons for which a connection doesn't pass the
// waypoint of a service.
func TestWaypointIsBypassed(t *testing.T) {
	unbind := func(label string) func(map[string]any) {
		return func(v map[string]any) {
			for _, s := range each(v["items"]) {
				if m := s["metadata"].(map[string]any); m["name"] == "cart" {
					m["labels"].(map[string]any)["istio.io/use-waypoint"] = label
				}
			}
		}
	}
	withoutWaypoint := func(v map[string]any) { delete(named(t, v["services"], "cart"), "waypoint") }
	forWorkloads := func(v map[string]any) {
		each(v["items"])[0]["metadata"].(map[string]any)["labels"].(map[string]any)["istio.io/waypoint-for"] = "workload"
	}
	const services, gateways = "kubernetes/services.json", "kubernetes/gateways.gateway.networking.k8s.io.json"
	for _, c := range []struct {
		name, args string
		files      map[string]func(map[string]any)
		want       string
	}{
		{"addressed to the workload", "web-v1.shop http://10.244.1.11:8080/", nil, "addressed to the workload"},
		{"a client outside of the mesh", "legacy-v1.shop http://cart.shop/", nil, "legacy-v1-58d4c6b7f-eeeee.shop is not in the mesh"},
		{"a sidecar", "productpage-v1 http://cart.shop/", nil, "has the workload as its endpoint, not the waypoint"},
		{"from outside", "cart-v1.shop http://cart.shop/ --inbound --from 192.0.2.1", nil, "from outside of the mesh"},
		{"no such Gateway", "web-v1.shop http://cart.shop/", map[string]func(map[string]any){zTunnel30: withoutWaypoint, services: unbind("gone")}, "there is no Gateway of that name"},
		{"for workloads only", "web-v1.shop http://cart.shop/", map[string]func(map[string]any){zTunnel30: withoutWaypoint, gateways: forWorkloads}, "its label istio.io/waypoint-for is workload"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mesh := "demo-ambient"
			if c.files != nil {
				mesh = changed(t, c.files)
			}
			got, code := trace(t, mesh, strings.Fields(c.args)...)
			if why := got.why("waypoint"); code != 0 || !strings.Contains(why, c.want) {
				t.Errorf("exit code %d, waypoint: %q", code, why)
			}
		})
	}
}

// TestEndsOfWalks has walks that end before an endpoint, or as unknown.
func TestEndsOfWalks(t *testing.T) {
	strange := `{"name": "strange", "namespace": "bank", "action": "Deny", "scope": "WorkloadSelector", "dryRun": false, "rules": [[[{"principals": [{"Regex": ".*"}]}]]]}`
	for _, c := range []struct {
		name, args string
		files      map[string]func(map[string]any)
		code       int
		reason     string
		says       string
	}{
		{"a form that is not known", "teller-v1.bank tcp://ledger.bank:5432", map[string]func(map[string]any){zTunnel30: addPolicy(t, "ledger-v1", strange)}, 6, "UNKNOWN", "the text match Regex"},
		{"a policy that the ztunnel lacks", "teller-v1.bank tcp://ledger.bank:5432", map[string]func(map[string]any){zTunnel30: func(v map[string]any) {
			w := named(t, v["workloads"], "ledger-v1")
			w["authorizationPolicies"] = append(w["authorizationPolicies"].([]any), "bank/gone")
		}}, 0, "", "bank/gone"},
		{"the waypoint has no endpoint", "web-v1.shop http://cart.shop/", map[string]func(map[string]any){zTunnel30: func(v map[string]any) {
			named(t, v["services"], "waypoint")["endpoints"] = map[string]any{}
		}}, 1, "NO_ENDPOINTS", "the waypoint waypoint.shop.svc.cluster.local has no endpoint"},
		{"the waypoint was not read", "web-v1.shop http://cart.shop/", map[string]func(map[string]any){"proxies/waypoint-7c9f5d6b8-k2wzj.shop/config_dump.json": nil}, 6, "UNKNOWN", "config_dump"},
		{"the ztunnel of its node doesn't know the workload", "web-v1.shop http://orders.shop/", map[string]func(map[string]any){zTunnel31: func(v map[string]any) {
			var rest []any
			for _, w := range each(v["workloads"]) {
				if !strings.HasPrefix(text(w["name"]), "orders") {
					rest = append(rest, w)
				}
			}
			v["workloads"] = rest
		}}, 1, "NO_WORKLOAD", "does not know it"},
		{"another network", "web-v1.shop http://orders.shop/", map[string]func(map[string]any){zTunnel30: func(v map[string]any) {
			w := named(t, v["workloads"], "orders")
			w["network"], w["networkGateway"] = "west", map[string]any{"destination": "west/192.0.2.9", "hboneMtlsPort": 15008}
		}}, 6, "UNKNOWN", "the way behind the gateway of network west"},
		{"a network without a gateway", "web-v1.shop http://orders.shop/", map[string]func(map[string]any){zTunnel30: func(v map[string]any) {
			named(t, v["workloads"], "orders")["network"] = "west"
		}}, 1, "NO_ENDPOINTS", "no gateway leads there"},
		{"no such port", "web-v1.shop http://orders.shop:81/", nil, 1, "NO_ENDPOINTS", "has no port 81"},
		{"outside of the mesh", "web-v1.shop https://example.com/", nil, 0, "PASSTHROUGH", "the ztunnel knows no such service"},
		{"an address outside of the mesh", "web-v1.shop tcp://203.0.113.7:443", nil, 0, "PASSTHROUGH", "passes the connection on"},
		{"to a sidecar", "web-v1.shop http://reviews.default:9080/", nil, 0, "", "it accepts all redirected connections"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mesh := "demo-ambient"
			if c.files != nil {
				mesh = changed(t, c.files)
			}
			got, code := trace(t, mesh, strings.Fields(c.args)...)
			reason := ""
			if got.Reason != nil {
				reason = *got.Reason
			}
			all, _ := json.Marshal(got)
			if code != c.code || reason != c.reason || !strings.Contains(string(all), c.says) {
				t.Errorf("exit code %d, reason %q:\n%s", code, reason, all)
			}
		})
	}
}

// TestStaleZTunnelIsNamed checks that a step names the ztunnel that has not
// acknowledged its configuration.
func TestStaleZTunnelIsNamed(t *testing.T) {
	mesh := changed(t, nil)
	editList(t, mesh, "pilots/istiod-78566f45b4-v5qhf.istio-system/syncz.json", func(one map[string]any) {
		if strings.HasPrefix(text(one["proxy"]), "ztunnel-4vx8q") {
			for _, r := range one["resources"].(map[string]any) {
				r.(map[string]any)["acked"] = "older"
			}
		}
	})
	got, _ := trace(t, mesh, "teller-v1.bank", "tcp://ledger.bank:5432")
	if why := got.why("proxy"); !strings.Contains(why, "ztunnel-4vx8q.istio-system was sent newer configuration") {
		t.Errorf("the steps say %q", why)
	}
	out, _, _ := program.Run(t, "--snapshot", mesh, "-r", `.proxy("ztunnel-4vx8q").wads`)
	if out != "STALE\n" {
		t.Error(out)
	}
}
