package ambient

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

// withAgentGateway writes the demo into a directory, with an agentgateway in place of
// its waypoint: the pod has the labels of the class istio-agentgateway-waypoint, and
// istiod knows the proxy by that type. It is made by hand from what Istio's source says
// (pkg/model/proxy.go, 1.31), since no agentgateway was recorded.
func withAgentGateway(t *testing.T, change func(one map[string]any)) string {
	t.Helper()
	const folder = "proxies/waypoint-7c9f5d6b8-k2wzj.shop"
	dir := changed(t, map[string]func(map[string]any){
		"kubernetes/pods.json": func(v map[string]any) {
			for _, p := range each(v["items"]) {
				m := p["metadata"].(map[string]any)
				if strings.HasPrefix(text(m["name"]), "waypoint") {
					m["labels"].(map[string]any)["gateway.networking.k8s.io/gateway-class-name"] = "istio-agentgateway-waypoint"
				}
			}
		},
		"pilots/istiod-78566f45b4-v5qhf.istio-system/adsz.json": func(v map[string]any) {
			for _, c := range each(v["clients"]) {
				if strings.HasPrefix(text(c["connectionId"]), "waypoint") {
					delete(c["metadata"].(map[string]any), "PROXY_CONFIG")
				}
			}
		},
	})
	if err := os.RemoveAll(filepath.Join(dir, filepath.FromSlash(folder))); err != nil {
		t.Fatal(err)
	}
	editList(t, dir, "pilots/istiod-78566f45b4-v5qhf.istio-system/syncz.json", func(one map[string]any) {
		if one["proxy_type"] == "waypoint" {
			change(one)
		}
	})
	return dir
}

func TestAgentGatewayHasItsSyncState(t *testing.T) {
	const id = "waypoint-7c9f5d6b8-k2wzj"
	for acked, want := range map[string]string{"2": "SYNCED", "1": "STALE"} {
		mesh := withAgentGateway(t, func(one map[string]any) {
			one["proxy_type"] = "agentgateway"
			one["resources"] = map[string]any{"type.googleapis.com/agentgateway.dev.resource.Resource": map[string]any{"sent": "2", "acked": acked}}
		})
		out, errs, code := program.Run(t, "--snapshot", mesh, "-c", `.proxy("`+id+`") | [.type, .connected, .agds, .cds, synced, stale]`)
		line, _ := json.Marshal([]any{"agentgateway", true, want, "IGNORED", want == "SYNCED", want == "STALE"})
		if out != string(line)+"\n" || code != 0 || errs != "" {
			t.Errorf("exit code %d: %s%s", code, out, errs)
		}
		if out, errs, code := program.Run(t, "--snapshot", mesh, "disconnected"); out != "" || code != 0 {
			t.Errorf("disconnected: exit code %d: %s%s", code, out, errs)
		}
		out, _, _ = program.Run(t, "--snapshot", mesh, "check", "-o", "json")
		if strings.Contains(out, id) != (want == "STALE") {
			t.Errorf("check of a gateway that is %s: %s", want, out)
		}
		out, errs, code = program.Run(t, "--snapshot", mesh, "-r", `.proxies[].clusters[].name`)
		if code != 6 || !strings.Contains(errs, id+".shop: clusters: an agentgateway has no admin port of Envoy") || strings.Count(out, "\n") < 100 {
			t.Errorf("clusters: exit code %d, %d lines: %s", code, strings.Count(out, "\n"), errs)
		}
	}
}

func TestTraceEndsAtAnAgentGateway(t *testing.T) {
	mesh := withAgentGateway(t, func(one map[string]any) { one["proxy_type"] = "agentgateway" })
	got, code := trace(t, mesh, "web-v1.shop", "http://cart.shop/")
	if all, _ := json.Marshal(got.Unknowns); code != 6 || got.Reason == nil || *got.Reason != "UNKNOWN" || !strings.Contains(string(all), "an agentgateway's configuration can't be read") {
		t.Errorf("exit code %d: %s", code, all)
	}
}
