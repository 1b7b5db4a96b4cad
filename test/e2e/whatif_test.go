package e2e_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A changed is a change of the mesh: objects that are applied or removed.
type changed struct {
	name   string
	text   string
	remove bool
	undo   string // the objects that are removed afterwards; empty means those of text
}

// changes are the kinds of changes that are predicted, made, and compared.
var changes = []changed{
	{name: "VirtualService with weights", text: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http: [{route: [{destination: {host: reviews, subset: v1}, weight: 80}, {destination: {host: reviews, subset: v2}, weight: 20}]}]
`},
	{name: "VirtualService with matches, retries and a fault", text: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings}
spec:
  hosts: [ratings]
  http:
  - match: [{headers: {end-user: {exact: jason}}}]
    fault: {abort: {percentage: {value: 100}, httpStatus: 500}}
    route: [{destination: {host: ratings, subset: v1}}]
  - route: [{destination: {host: ratings, subset: v1}}]
    retries: {attempts: 3, perTryTimeout: 2s}
    timeout: 7s
`},
	{name: "a VirtualService is removed", remove: true, text: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: details}
`},
	{name: "DestinationRule with limits and a hash", text: `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ratings}
spec:
  host: ratings
  trafficPolicy: {loadBalancer: {consistentHash: {httpHeaderName: x-user}}, connectionPool: {tcp: {maxConnections: 50}}, outlierDetection: {consecutive5xxErrors: 3}}
  subsets: [{name: v1, labels: {version: v1}}]
`},
	{name: "DestinationRule without a subset that is used", text: `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec: {host: reviews, subsets: [{name: v3, labels: {version: v3}}]}
`},
	{name: "a DestinationRule is removed", remove: true, text: `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: details}
`},
	{name: "AuthorizationPolicy", text: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: only-reviews}
spec:
  selector: {matchLabels: {app: ratings}}
  action: ALLOW
  rules: [{from: [{source: {principals: ["cluster.local/ns/default/sa/bookinfo-reviews"]}}], to: [{operation: {methods: [GET]}}]}]
`},
	{name: "AuthorizationPolicy that denies in the whole mesh", text: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-admin, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {paths: ["/admin*"]}}]}]}
`},
	{name: "PeerAuthentication strict in the namespace", text: `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default}
spec: {mtls: {mode: STRICT}}
`},
	{name: "PeerAuthentication of a port", text: `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: ratings}
spec: {selector: {matchLabels: {app: ratings}}, mtls: {mode: STRICT}, portLevelMtls: {9080: {mode: DISABLE}}}
`},
	{name: "RequestAuthentication with keys", text: `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt}
spec:
  selector: {matchLabels: {app: productpage}}
  jwtRules: [{issuer: "issuer@example.com", jwks: '{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]}'}]
`},
	{name: "Gateway with another host", text: `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: bookinfo-gateway}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["bookinfo.example.com"]}]
`},
	{name: "a new Gateway with its VirtualService", text: `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: other}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 8081, name: http-other, protocol: HTTP}, hosts: ["other.example.com"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: other}
spec: {hosts: ["other.example.com"], gateways: [other], http: [{route: [{destination: {host: details, port: {number: 9080}}}]}]}
`},
	{name: "ServiceEntry by DNS", text: `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: payments}
spec: {hosts: [payments.example.com], ports: [{number: 443, name: tls, protocol: TLS}], location: MESH_EXTERNAL, resolution: DNS}
`},
	{name: "ServiceEntry with addresses", text: `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: mysql}
spec:
  hosts: [mysql.example.com]
  addresses: [192.0.2.7/32]
  ports: [{number: 3306, name: tcp, protocol: TCP}]
  location: MESH_EXTERNAL
  resolution: STATIC
  endpoints: [{address: 192.0.2.8}]
`},
	{name: "ServiceEntry over HTTP", text: `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: http}
spec: {hosts: [api.example.com], ports: [{number: 8000, name: http, protocol: HTTP}], resolution: DNS, endpoints: [{address: backend.example.com}]}
`},
	{name: "WorkloadEntry behind a ServiceEntry", text: `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: machines}
spec: {hosts: [machines.example.com], ports: [{number: 9000, name: http, protocol: HTTP}], resolution: STATIC, location: MESH_INTERNAL, workloadSelector: {labels: {app: machine}}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: machine-1}
spec: {address: 192.0.2.21, labels: {app: machine}, serviceAccount: machine}
`},
	{name: "Sidecar of a workload", text: `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: ratings}
spec: {workloadSelector: {labels: {app: ratings}}, egress: [{hosts: ["./details.default.svc.cluster.local"]}]}
`},
	{name: "Sidecar of a namespace that allows only the registry", text: `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ["./*"]}]}
`},
	{name: "EnvoyFilter", text: `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: idle}
spec:
  workloadSelector: {labels: {app: details}}
  configPatches:
  - applyTo: NETWORK_FILTER
    match: {context: SIDECAR_INBOUND, listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}}
    patch: {operation: MERGE, value: {typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, common_http_protocol_options: {idle_timeout: 77s}}}}
`},
	{name: "Telemetry with an access log", text: `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: logs}
spec: {selector: {matchLabels: {app: reviews}}, accessLogging: [{providers: [{name: envoy}]}]}
`},
	{name: "an EndpointSlice changes", text: `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ratings-more, labels: {kubernetes.io/service-name: ratings}}
addressType: IPv4
ports: [{name: http, port: 9080, protocol: TCP}]
endpoints: [{addresses: ["192.0.2.33"], conditions: {ready: true}}]
`},
	{name: "nothing that matters", text: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, labels: {note: changed}}
spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}
`},
	// This is the last change: when the port is removed again, istiod leaves its clusters with subsets in the Envoys.
	{name: "a Service gets another port", text: `
apiVersion: v1
kind: Service
metadata: {name: details, labels: {app: details, service: details}}
spec:
  selector: {app: details}
  ports: [{port: 9080, name: http}, {port: 9081, name: http-more, targetPort: 9080}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: details-more, labels: {kubernetes.io/service-name: details}}
addressType: IPv4
ports: [{name: http-more, port: 9080, protocol: TCP}]
endpoints: [{addresses: [DETAILS_IP], conditions: {ready: true}, targetRef: {kind: Pod, namespace: default, name: DETAILS_POD}}]
`, undo: `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: details-more}
`},
}

// sent is a query for everything that istiod sends to each proxy, without the versions of its pushes.
const sent = `[.proxies[] | {id, sent: (desired | {
  clusters: [.clusters[] | del(.versionInfo, .lastUpdated)] | sort_by(.name), listeners: [.listeners[] | del(.versionInfo, .lastUpdated)] | sort_by(.name),
  routes: [.routes[] | del(.versionInfo, .lastUpdated)] | sort_by(.name), endpoints: [.endpoints[]] | sort_by(.cluster, .address)})}]`

// whatIf predicts each change from the running mesh, makes it, and compares: istiod must then send exactly what was
// predicted to every proxy, in every section, and the Envoys must accept it. The prediction itself writes nothing.
func whatIf(t *testing.T, w *world) {
	kubeconfig := w.account(t, "foreseer", "kubectl-meshq", "kubectl-meshq-objects")
	if len(changes) < 20 {
		t.Fatalf("%d changes", len(changes))
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) { whatIfOne(t, w, kubeconfig, c) })
	}
	t.Run("ReadOnly", func(t *testing.T) { whatIfReads(t, w, kubeconfig) })
	t.Run("ServerDryRun", func(t *testing.T) { whatIfServerDryRun(t, w) })
}

func whatIfOne(t *testing.T, w *world, kubeconfig string, c changed) {
	file := filepath.Join(w.folder(t), "change.yaml")
	details := w.proxy(t, "details-v1")
	c.text = strings.NewReplacer("DETAILS_IP", details.IP, "DETAILS_POD", details.Pod).Replace(c.text)
	must(t, os.WriteFile(file, []byte(c.text), 0o600))
	command := []string{"whatif", "-f", file, "--istiod", w.istiod, "--max-fetch", "0", "-o", "json"}
	if c.remove {
		command = append(command, "--delete")
	}
	verified(t, w.askAs(t, kubeconfig, command...))
	var predicted any
	words := []string{"-c", sent, "--what-if", file, "--istiod", w.istiod, "--max-fetch", "0"}
	if c.remove {
		words = append(words, "--what-if-delete")
	}
	must(t, json.Unmarshal([]byte(w.askAs(t, kubeconfig, words...).exits(0).out), &predicted))
	if c.remove {
		must(t, w.Remove(t.Context(), c.text))
	} else {
		must(t, w.Apply(t.Context(), c.text))
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if !c.remove {
			undo := c.undo
			if undo == "" {
				undo = c.text
			}
			must(t, w.Remove(ctx, undo))
		}
		must(t, w.Restore(ctx))
		must(t, w.AwaitSynced(ctx))
	})
	var got any
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(300 * time.Millisecond) {
		a := w.askAs(t, kubeconfig, "-c", sent, "--max-fetch", "0").exits(0)
		must(t, json.Unmarshal([]byte(a.out), &got))
		if cmp.Equal(predicted, got) || time.Now().After(deadline) {
			break
		}
	}
	if diff := cmp.Diff(predicted, got); diff != "" {
		t.Errorf("(-predicted +sent)\n%s", clip(diff))
	}
	must(t, w.AwaitSynced(t.Context()))
	w.askAs(t, kubeconfig, "diff", "--max-fetch", "0", "-U", "2").exits(0)
}

// verified checks that a prediction's baseline is verified for all proxies.
func verified(t *testing.T, a *answer) {
	t.Helper()
	var out struct {
		Verified bool
		Refused  []any
		Baseline struct{ Proxies, Verified int }
	}
	if err := json.Unmarshal([]byte(a.out), &out); err != nil {
		t.Fatalf("%v: %s%s", err, clip(a.out), clip(a.err))
	}
	if !out.Verified || out.Baseline.Verified != out.Baseline.Proxies || out.Baseline.Proxies < 7 || len(out.Refused) > 0 || a.code == 6 {
		t.Errorf("exit %d: %s", a.code, clip(a.out))
	}
}

// whatIfReads checks in the audit log that a prediction only reads, and that nothing of it is left.
func whatIfReads(t *testing.T, w *world, kubeconfig string) {
	file := filepath.Join(w.folder(t), "change.yaml")
	must(t, os.WriteFile(file, []byte(changes[0].text), 0o600))
	all := w.events(t, "foreseer", func() {
		w.askAs(t, kubeconfig, "whatif", "-f", file, "--istiod", w.istiod, "--max-fetch", "0").exits(0)
	})
	if len(all) == 0 {
		t.Error("no request at all")
	}
	for _, e := range all {
		isRead := slices.Contains([]string{"get", "list"}, e.Verb) || e.Resource == "pods/portforward"
		isKnown := e.Code < 400 || e.Code == 404 // the cluster doesn't serve every resource
		if !isRead || !isKnown || strings.HasPrefix(e.Resource, "secrets") {
			t.Errorf("%+v", e)
		}
	}
}

const patchObjects = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: patch-objects}
rules:
- {apiGroups: [networking.istio.io], resources: [virtualservices], verbs: [patch, create]}
- {apiGroups: [""], resources: [services], verbs: [patch, create]}
`

// whatIfServerDryRun lets the API server set the defaults of a new Service and of a changed VirtualService. It stores
// neither, and refuses both to an account that may not patch.
func whatIfServerDryRun(t *testing.T, w *world) {
	var roles []string
	for _, r := range []string{"kubectl-meshq", "kubectl-meshq-objects"} {
		b, err := os.ReadFile(filepath.Join("../../docs/rbac", r+".yaml"))
		must(t, err)
		roles = append(roles, string(b))
	}
	allowed, err := w.Account(t.Context(), "patcher", append(roles, patchObjects)...)
	must(t, err)
	file := filepath.Join(w.folder(t), "change.yaml")
	must(t, os.WriteFile(file, []byte(changes[0].text+`
---
apiVersion: v1
kind: Service
metadata: {name: dry-run}
spec: {selector: {app: reviews}, ports: [{port: 9080}]}
`), 0o600))
	words := []string{"whatif", "-f", file, "--istiod", w.istiod, "--max-fetch", "0", "--server-dry-run", "-o", "json"}
	patches := 0
	for _, e := range w.events(t, "patcher", func() {
		a := w.askAs(t, allowed, words...)
		verified(t, a)
		if strings.Contains(a.out, "198.19.0.1") {
			t.Errorf("a placeholder stands for an address that the API server gave: %s", clip(a.out))
		}
	}) {
		if e.Verb == "patch" {
			patches++
		}
	}
	if patches != 2 {
		t.Errorf("%d patches", patches)
	}
	w.askAs(t, allowed, `[.services[].metadata.name] | index("dry-run")`).exits(0).is(nil)
	w.askAs(t, allowed, `[.virtualServices[] | select(.metadata.name == "reviews") | .spec.http[0].route | length]`, "-c").exits(0).is([]any{float64(1)})
	refused := w.askAs(t, w.account(t, "foreseer", "kubectl-meshq", "kubectl-meshq-objects"), words...).exits(2)
	if !strings.Contains(refused.err, "--server-dry-run") || !strings.Contains(refused.err, "403") {
		t.Error(refused.err)
	}
}
