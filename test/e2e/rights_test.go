package e2e_test

import (
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

const (
	listPods = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: list-pods}
rules: [{apiGroups: [""], resources: [pods], verbs: [list]}]
`
	createForward = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: create-forward}
rules: [{apiGroups: [""], resources: [pods/portforward], verbs: [create]}]
`
)

// events returns the requests that an account sent to the API server while f ran, from the audit log.
func (w *world) events(t *testing.T, account string, f func()) (all []mesh.Event) {
	t.Helper()
	before, err := w.Events()
	must(t, err)
	f()
	after, err := w.Events()
	must(t, err)
	for _, e := range after[len(before):] {
		if e.Account == account {
			all = append(all, e)
		}
	}
	return all
}

// leastIsEnough checks that the plugin uses no more than the least role: no request is refused, pods are listed only
// once, and no single pod is read.
func leastIsEnough(t *testing.T, w *world) {
	lists, forwards := map[string]int{}, map[string]int{}
	for _, e := range w.events(t, "meshq", func() {
		w.ask(t, `[.proxies[] | .clusters | length > 10] | all`).exits(0).quiet().is(true)
	}) {
		if e.Code >= 400 {
			t.Errorf("refused: %+v", e)
		}
		switch e.Resource {
		case "pods":
			lists[e.Name]++ // keyed by namespace; "" means all namespaces
			if e.Verb != "list" {
				t.Errorf("%+v", e)
			}
		case "pods/portforward":
			forwards[e.Name]++
		}
	}
	if lists[""] != 1 || lists["istio-system"] > 1 || len(lists) > 2 {
		t.Errorf("pods were listed: %v", lists)
	}
	for name, n := range forwards {
		if n != 1 {
			t.Errorf("%s: %d port-forwards", name, n)
		}
	}
	if len(forwards) != 8 {
		t.Errorf("port-forwards to %v, want istiod and seven proxies", forwards)
	}
}

// forwardDenied checks two accounts: one that may list pods but neither forward ports nor run programs, and one without
// any rights. The error names the missing right.
func forwardDenied(t *testing.T, w *world) {
	kubeconfig, err := w.Account(t.Context(), "lister", listPods)
	must(t, err)
	w.askAs(t, kubeconfig).within(5*time.Second).says(w.Istiods[0].Pod, "forbidden", "pods/portforward").exits(6)
	w.askAs(t, kubeconfig, `.proxy("reviews-v1").clusters | length`).exits(6).says("reviews-v1", "forbidden", "pods/portforward").is()
	kubeconfig, err = w.Account(t.Context(), "nobody")
	must(t, err)
	w.askAs(t, kubeconfig).exits(2).says("nothing could be read", "forbidden", "cannot list", "pods").is()
}

// execInstead checks an account that may not forward ports but may run programs in pods. The first request in a
// namespace discovers this; the plugin remembers it and doesn't try to forward a port to the same pod twice. A port
// that the exec program refuses to query is a fault of that proxy only.
func execInstead(t *testing.T, w *world) {
	kubeconfig := w.account(t, "runner", "kubectl-meshq-exec")
	w.askAs(t, kubeconfig, "all(.proxies[]; synced)").exits(0).quiet().is(true)
	ratings := w.proxy(t, "ratings-v1")
	tried := map[string]int{}
	for _, e := range w.events(t, "runner", func() {
		w.askAs(t, kubeconfig, `[.proxies[] | .clusters | length > 10]`).exits(6).says(ratings.ID(), "15099").lines(1).
			is([]any{true, true, true, true, true, true})
	}) {
		if e.Resource == "pods/portforward" {
			tried[e.Name]++
		}
	}
	for name, n := range tried {
		if n != 2 {
			t.Errorf("port-forward to %s was tried %d times, want once by WebSocket and once by SPDY", name, n)
		}
	}
	if len(tried) < 2 {
		t.Errorf("port-forward was tried to %v, want at least one pod of each namespace", tried)
	}
}

// createAlone checks an older role that grants create but not get on pods/portforward. WebSocket needs get, SPDY needs
// create.
func createAlone(t *testing.T, w *world) {
	kubeconfig, err := w.Account(t.Context(), "creator", listPods, createForward)
	must(t, err)
	w.askAs(t, kubeconfig, `all(.proxies[]; synced), ([.proxies[] | .clusters | length > 10] | all)`).exits(0).quiet().is(true, true)
}

// oneNamespace checks an account of a team that may see only its own namespace and no istiod.
func oneNamespace(t *testing.T, w *world) {
	kubeconfig := w.account(t, "team", "kubectl-meshq-namespace")
	want := []any{}
	for _, p := range w.byID() {
		if p.Namespace == "default" {
			want = append(want, []any{p.ID(), "UNKNOWN", dumpOf(t, p).clusters})
		}
	}
	w.askAs(t, kubeconfig, `.proxies[] | [.id, .rds, ([.clusters[] | select(.state=="ACTIVE" or .state=="STATIC")] | length)]`).
		exits(6).says("istio-system").is(want...)
}
