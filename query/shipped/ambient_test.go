package shipped_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// meshed is an ambient mesh with a pod cart-1 of namespace shop, its ztunnel and a
// waypoint. Each field of the mesh may be replaced.
func meshed(fields map[string]string) string {
	all := map[string]string{
		"pilots": `[{"name": "p", "version": "1.31.0", "namespace": "istio-system"}]`, "faults": `[]`, "serviceEntries": `[]`, "requestAuthentications": `[]`, "authorizationPolicies": `[]`,
		"networkPolicies": `[]`, "virtualServices": `[]`,
		"namespaces":   `[{"metadata": {"name": "shop", "labels": {"istio.io/dataplane-mode": "ambient"}}}]`,
		"kubeGateways": `[{"metadata": {"name": "way", "namespace": "shop"}}]`,
		"services":     `[{"metadata": {"name": "cart", "namespace": "shop", "labels": {"istio.io/use-waypoint": "way"}}}]`,
		"pods":         pods(ambientPod(""), waypointPod, ztunnelPod("True")),
		"waypoint":     waypointProxy(`"connected": true, "ready": true`),
		"ztunnel":      ztunnelProxy(`"connected": true, "ready": true`, `{"name": "cart-1", "namespace": "shop", "workloadIps": ["10.0.0.7"], "protocol": "HBONE"}`, `{}`),
	}
	for k, v := range fields {
		all[k] = v
	}
	var out []string
	for _, k := range slices.Sorted(func(yield func(string) bool) {
		for k := range all {
			if !yield(k) {
				return
			}
		}
	}) {
		if k != "waypoint" && k != "ztunnel" {
			out = append(out, fmt.Sprintf("%q: %s", k, all[k]))
		}
	}
	proxies := slices.DeleteFunc([]string{all["waypoint"], all["ztunnel"]}, func(s string) bool { return s == "" })
	return `{` + strings.Join(out, ", ") + `, "proxies": [` + strings.Join(proxies, ", ") + `]}`
}

func ambientPod(more string) string {
	if more == "" {
		more = `"annotations": {"ambient.istio.io/redirection": "enabled"}`
	}
	return `{"metadata": {"name": "cart-1", "namespace": "shop", "labels": {"app": "cart"}, ` + more + `}, "spec": {"nodeName": "n1", "containers": [{"name": "cart"}]}, "status": {"phase": "Running", "podIP": "10.0.0.7"}}`
}

const waypointPod = `{"metadata": {"name": "way-1", "namespace": "shop", "labels": {"gateway.networking.k8s.io/gateway-name": "way"}}}`

func ztunnelPod(ready string) string {
	return `{"metadata": {"name": "zt", "namespace": "istio-system", "labels": {"app": "ztunnel"}}, "spec": {"nodeName": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "` + ready + `"}]}}`
}

func pods(all ...string) string { return `[` + strings.Join(all, ", ") + `]` }

func waypointProxy(state string) string {
	return `{"kind": "Proxy", "id": "way-1.shop", "type": "waypoint", "namespace": "shop", "labels": {"gateway.networking.k8s.io/gateway-name": "way"}, ` + state + `}`
}

func ztunnelProxy(state, workload, endpoints string) string {
	return `{"kind": "Proxy", "id": "zt.istio-system", "type": "ztunnel", "node": "n1", "workloads": [` + workload + `], "services": [
		{"name": "cart", "namespace": "shop", "hostname": "cart.shop", "vips": ["/10.1.0.1"], "endpoints": {}, "waypoint": {"destination": "shop/way.shop"}},
		{"name": "way", "namespace": "shop", "hostname": "way.shop", "vips": [], "endpoints": ` + endpoints + `}], ` + state + `}`
}

// TestAmbientChecks runs the checks of ambient meshes on small meshes with the fault
// that they look for, and on meshes that are similar and fine.
func TestAmbientChecks(t *testing.T) {
	const cart = `{"name": "cart-1", "namespace": "shop", "workloadIps": ["10.0.0.7"], "protocol": "HBONE"}`
	policy := func(rest string) string {
		return `[{"kind": "AuthorizationPolicy", "metadata": {"name": "p", "namespace": "shop"}, "spec": {` + rest + `}}]`
	}
	network := func(rest string) string {
		return `[{"metadata": {"name": "np", "namespace": "shop"}, "spec": {` + rest + `}}]`
	}
	for _, c := range []struct {
		check, name string
		fields      map[string]string
		want        []string
	}{
		{"waypoint-bindings", "fine", nil, nil},
		{"waypoint-bindings", "no Gateway", map[string]string{"kubeGateways": `[]`}, []string{"error waypoint-bindings/Service cart.shop"}},
		{"waypoint-bindings", "no pod", map[string]string{"pods": pods(ambientPod(""))}, []string{"error waypoint-bindings/Service cart.shop"}},
		{"waypoint-bindings", "not connected", map[string]string{"waypoint": waypointProxy(`"connected": false, "ready": true`)}, []string{"error waypoint-bindings/Service cart.shop"}},
		{"waypoint-bindings", "a proxy that -n left out", map[string]string{"waypoint": ""}, nil},
		{"waypoint-bindings", "not ready", map[string]string{"pods": pods(ambientPod(""), strings.Replace(waypointPod, "}}}", `}}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}`, 1))}, []string{"error waypoint-bindings/Service cart.shop"}},
		{"waypoint-bindings", "not known whether it is connected", map[string]string{"waypoint": waypointProxy(`"connected": null, "ready": true`)}, []string{"unknown waypoint-bindings/unknown"}},
		{"waypoint-bindings", "for workloads", map[string]string{"kubeGateways": `[{"metadata": {"name": "way", "namespace": "shop", "labels": {"istio.io/waypoint-for": "workload"}}}]`}, []string{"warning waypoint-bindings/Service cart.shop"}},
		{"waypoint-bindings", "of another namespace", map[string]string{"services": `[{"metadata": {"name": "cart", "namespace": "shop", "labels": {"istio.io/use-waypoint": "way", "istio.io/use-waypoint-namespace": "infra"}}}]`}, []string{"error waypoint-bindings/Service cart.shop"}},
		{"waypoint-bindings", "opted out", map[string]string{"kubeGateways": `[]`, "services": `[{"metadata": {"name": "cart", "namespace": "shop", "labels": {"istio.io/use-waypoint": "none"}}}]`}, nil},
		{"waypoint-bindings", "a namespace", map[string]string{"services": `[]`, "namespaces": `[{"metadata": {"name": "shop", "labels": {"istio.io/use-waypoint": "gone"}}}]`}, []string{"error waypoint-bindings/Namespace shop"}},
		{"waypoint-bindings", "istiod refused", map[string]string{"services": `[{"metadata": {"name": "cart", "namespace": "shop", "labels": {"istio.io/use-waypoint": "way"}}, "status": {"conditions": [{"type": "istio.io/WaypointBound", "status": "False", "reason": "AttachmentDenied"}]}}]`}, []string{"error waypoint-bindings/Service cart.shop"}},

		{"waypoint-endpoints", "none", nil, []string{"error waypoint-endpoints/shop/way.shop"}},
		{"waypoint-endpoints", "one", map[string]string{"ztunnel": ztunnelProxy(`"connected": true`, cart, `{"u": {}}`)}, nil},

		{"ztunnel-nodes", "fine", nil, nil},
		{"ztunnel-nodes", "no ztunnel", map[string]string{"pods": pods(ambientPod(""))}, []string{"error ztunnel-nodes/n1"}},
		{"ztunnel-nodes", "not connected", map[string]string{"ztunnel": ztunnelProxy(`"connected": false`, cart, `{}`)}, []string{"error ztunnel-nodes/zt.istio-system/n1"}},
		{"ztunnel-nodes", "not ready", map[string]string{"pods": pods(ambientPod(""), ztunnelPod("False"))}, []string{"error ztunnel-nodes/zt.istio-system/n1"}},
		{"ztunnel-nodes", "not known whether it is connected", map[string]string{"ztunnel": ztunnelProxy(`"connected": null`, cart, `{}`)}, []string{"unknown ztunnel-nodes/unknown"}},
		{"ztunnel-nodes", "a proxy that -n left out", map[string]string{"ztunnel": ""}, nil},
		{"ztunnel-nodes", "no pod of the mesh", map[string]string{"pods": `[]`}, nil},

		{"ambient-pods", "fine", nil, nil},
		{"ambient-pods", "not known to the ztunnel", map[string]string{"ztunnel": ztunnelProxy(`"connected": true`, ``, `{}`)}, []string{"error ambient-pods/zt.istio-system/cart-1.shop"}},
		{"ambient-pods", "known without HBONE", map[string]string{"ztunnel": ztunnelProxy(`"connected": true`, strings.Replace(cart, "HBONE", "TCP", 1), `{}`)}, []string{"error ambient-pods/zt.istio-system/cart-1.shop"}},
		{"ambient-pods", "not redirected", map[string]string{"pods": `[` + ambientPod(`"annotations": {}`) + `]`}, []string{"warning ambient-pods/cart-1.shop"}},
		{"ambient-pods", "opted out", map[string]string{"pods": `[` + strings.Replace(ambientPod(`"annotations": {}`), `"app": "cart"`, `"istio.io/dataplane-mode": "none"`, 1) + `]`}, nil},
		{"ambient-pods", "a sidecar, too", map[string]string{"pods": `[` + strings.Replace(ambientPod(""), `{"name": "cart"}`, `{"name": "cart"}, {"name": "istio-proxy"}`, 1) + `]`}, []string{"error ambient-pods/cart-1.shop"}},

		{"http-without-waypoint", "fine", map[string]string{"authorizationPolicies": policy(`"rules": [{"to": [{"operation": {"ports": ["80"]}}]}]`)}, nil},
		{"http-without-waypoint", "an ALLOW rule", map[string]string{"authorizationPolicies": policy(`"rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]`)}, []string{"warning http-without-waypoint/AuthorizationPolicy p.shop"}},
		{"http-without-waypoint", "of other pods", map[string]string{"authorizationPolicies": policy(`"selector": {"matchLabels": {"app": "web"}}, "rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]`)}, nil},
		{"http-without-waypoint", "CUSTOM", map[string]string{"authorizationPolicies": policy(`"action": "CUSTOM", "rules": [{}]`)}, []string{"warning http-without-waypoint/AuthorizationPolicy p.shop"}},
		{"http-without-waypoint", "at a waypoint", map[string]string{"authorizationPolicies": policy(`"targetRefs": [{"kind": "Service", "name": "cart"}], "rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]`)}, nil},
		{"http-without-waypoint", "at a service without waypoint", map[string]string{"services": `[{"metadata": {"name": "cart", "namespace": "shop"}}]`, "authorizationPolicies": policy(`"targetRefs": [{"kind": "Service", "name": "cart"}]`)}, []string{"error http-without-waypoint/AuthorizationPolicy p.shop"}},
		{"http-without-waypoint", "tokens", map[string]string{"requestAuthentications": policy(`"jwtRules": []`)}, []string{"warning http-without-waypoint/RequestAuthentication p.shop"}},

		{"hbone-blocked", "fine", nil, nil},
		{"hbone-blocked", "another port", map[string]string{"networkPolicies": network(`"podSelector": {}, "ingress": [{"ports": [{"port": 8080}]}]`)}, []string{"error hbone-blocked/NetworkPolicy np.shop"}},
		{"hbone-blocked", "the port", map[string]string{"networkPolicies": network(`"podSelector": {}, "ingress": [{"ports": [{"port": 8080}, {"port": 15008}]}]`)}, nil},
		{"hbone-blocked", "a range", map[string]string{"networkPolicies": network(`"podSelector": {}, "ingress": [{"ports": [{"port": 15000, "endPort": 15010}]}]`)}, nil},
		{"hbone-blocked", "any port", map[string]string{"networkPolicies": network(`"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]`)}, nil},
		{"hbone-blocked", "UDP", map[string]string{"networkPolicies": network(`"podSelector": {}, "ingress": [{"ports": [{"port": 15008, "protocol": "UDP"}]}]`)}, []string{"error hbone-blocked/NetworkPolicy np.shop"}},
		{"hbone-blocked", "nothing gets in", map[string]string{"networkPolicies": network(`"podSelector": {}, "policyTypes": ["Ingress"]`)}, []string{"error hbone-blocked/NetworkPolicy np.shop"}},
		{"hbone-blocked", "nothing gets out", map[string]string{"networkPolicies": network(`"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["cart"]}]}, "policyTypes": ["Egress"]`)}, []string{"error hbone-blocked/NetworkPolicy np.shop"}},
		{"hbone-blocked", "other pods", map[string]string{"networkPolicies": network(`"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]`)}, nil},
	} {
		if got := found(t, c.check, meshed(c.fields)); !slices.Equal(got, c.want) {
			t.Errorf("%s, %s: %q, want %q", c.check, c.name, got, c.want)
		}
	}
}

// TestHTTPRulesAreTranslated has what istiod makes of rules with HTTP attributes for a
// ztunnel, by handleRule in Istio's ambient/authorization.go (1.31).
func TestHTTPRulesAreTranslated(t *testing.T) {
	const where = ", for 1 workloads of the ambient mesh, as cart-1.shop: a ztunnel can't read "
	for _, c := range []struct{ policy, want string }{
		{`"action": "ALLOW", "rules": [{"from": [{"source": {"principals": ["a"]}}], "to": [{"operation": {"paths": ["/x"], "ports": ["80"]}}]}, {}]`, "rule 1 is dropped, so the policy allows less" + where + "paths"},
		{`"action": "DENY", "rules": [{"from": [{"source": {"principals": ["a"]}}], "to": [{"operation": {"paths": ["/x"], "ports": ["80"]}}]}]`, "rule 1 denies more than it says" + where + "paths"},
		{`"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/admin*"]}}]}]`, "rule 1 denies nothing" + where + "paths"},
		{`"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/a"]}}, {"operation": {"ports": ["81"], "methods": ["GET"]}}]}]`, "rule 1 denies more than it says" + where + "methods, paths"},
		{`"action": "DENY", "rules": [{"when": [{"key": "request.headers[x]", "values": ["a"]}]}, {"from": [{"source": {"requestPrincipals": ["*"], "namespaces": ["a"]}}]}]`,
			"rule 1 denies nothing; rule 2 denies more than it says" + where + "request.headers[x], requestPrincipals"},
		{`"action": "DENY", "rules": [{"when": [{"key": "source.ip", "values": ["10.0.0.0/8"]}]}]`, ""},
	} {
		doc := meshed(map[string]string{"authorizationPolicies": `[{"kind": "AuthorizationPolicy", "metadata": {"name": "p", "namespace": "shop"}, "spec": {` + c.policy + `}}]`})
		got := ""
		for _, f := range findings(t, "http-without-waypoint", doc) {
			got += f.Text("message")
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.policy, got, c.want)
		}
	}
}
