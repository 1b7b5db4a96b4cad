package shipped_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestMigration has one object for each difference between sidecars and an ambient
// mesh, and objects that behave the same in both.
func TestMigration(t *testing.T) {
	const names = `"metadata": {"name": "x", "namespace": "n"}`
	lists := []string{
		"virtualServices", "destinationRules", "authorizationPolicies", "requestAuthentications", "peerAuthentications", "envoyFilters", "wasmPlugins",
		"telemetries", "sidecars", "proxyConfigs", "networkPolicies",
	}
	q, _ := shipped.Find("migration", shipped.All())
	p, err := query.Compile(q.Program(), query.Options{File: "migration", Variables: []string{"$words"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		list, spec string
		want       []string
	}{
		{"virtualServices", `"hosts": ["x"], "http": [{"route": []}]`, []string{"waypoint VirtualService"}},
		{"virtualServices", `"hosts": ["x.other.svc.cluster.local"]`, []string{"lost VirtualService"}},
		{"virtualServices", `"hosts": ["x"], "gateways": ["g"]`, nil},
		{"virtualServices", `"hosts": ["x"], "http": [{"match": [{"sourceLabels": {"a": "b"}}]}]`, []string{"waypoint VirtualService", "lost VirtualService"}},
		{"virtualServices", `"hosts": ["x"], "tcp": [{"match": [{"sourceNamespace": "a"}]}]`, []string{"waypoint VirtualService", "lost VirtualService"}},
		{"virtualServices", `"hosts": ["x"], "tls": [{"match": [{"sniHosts": ["*.a"]}]}]`, []string{"waypoint VirtualService", "lost VirtualService"}},
		{"destinationRules", `"host": "x"`, []string{"waypoint DestinationRule"}},
		{"destinationRules", `"host": "x", "trafficPolicy": {"tls": {"mode": "DISABLE"}}`, []string{"waypoint DestinationRule", "changed DestinationRule"}},
		{"authorizationPolicies", `"rules": [{"to": [{"operation": {"ports": ["80"]}}]}]`, nil},
		{"authorizationPolicies", `"rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]`, []string{"changed AuthorizationPolicy"}},
		{"authorizationPolicies", `"rules": [{"from": [{"source": {"namespaces": ["a"]}}]}]`, []string{"changed AuthorizationPolicy"}},
		{"authorizationPolicies", `"action": "CUSTOM"`, []string{"lost AuthorizationPolicy"}},
		{"authorizationPolicies", `"targetRefs": [{"kind": "Service", "name": "x"}], "rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]`, nil},
		{"requestAuthentications", `"jwtRules": []`, []string{"lost RequestAuthentication"}},
		{"peerAuthentications", `"mtls": {"mode": "STRICT"}`, nil},
		{"peerAuthentications", `"portLevelMtls": {"80": {"mode": "DISABLE"}}`, []string{"changed PeerAuthentication"}},
		{"envoyFilters", `"configPatches": []`, []string{"lost EnvoyFilter"}},
		{"envoyFilters", `"targetRefs": [{"kind": "Gateway", "name": "way"}]`, nil},
		{"wasmPlugins", `"url": "x"`, []string{"lost WasmPlugin"}},
		{"telemetries", `"tracing": []`, []string{"changed Telemetry"}},
		{"sidecars", `"egress": []`, []string{"lost Sidecar"}},
		{"proxyConfigs", `"concurrency": 1`, []string{"lost ProxyConfig"}},
		{"networkPolicies", `"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]`, []string{"changed NetworkPolicy"}},
		{"networkPolicies", `"podSelector": {}, "ingress": [{"ports": [{"port": 15008}]}]`, nil},
	} {
		doc := `{"pilots": [], "pods": [{"metadata": {"name": "p", "namespace": "n", "labels": {}}, "spec": {"containers": [{"name": "istio-proxy"}]}}]`
		for _, l := range lists {
			if doc += fmt.Sprintf(`, %q: [`, l); l == c.list {
				doc += `{` + names + `, "spec": {` + c.spec + `}}`
			}
			doc += `]`
		}
		var in any
		if err := object.Unmarshal([]byte(doc+`}`), &in); err != nil {
			t.Fatal(err)
		}
		var got []string
		err := p.Run(context.Background(), in, []any{[]any{}}, eval.RunOptions{Now: func() float64 { return 0 }}, func(v any) error {
			row := v.(*object.Object)
			if row.Text("namespace") != "n" || row.Text("reason") == "" {
				t.Errorf("%v", row)
			}
			got = append(got, row.Text("effect")+" "+row.Text("object"))
			return nil
		})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s {%s}: %q, want %q (%v)", c.list, c.spec, got, c.want, err)
		}
	}
}
