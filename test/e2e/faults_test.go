package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

// awaitStatus waits until istiod reports a status for a configuration type of a proxy.
func (w *world) awaitStatus(t *testing.T, workload, short, word string) {
	t.Helper()
	id := w.proxy(t, workload).ID()
	w.eventually(t, fmt.Sprintf("istiod says %s of %s's %s", word, workload, short), func(ctx context.Context) (bool, error) {
		rows, err := w.Istiods[0].Syncz(ctx)
		for _, row := range rows {
			if row.Proxy == id {
				return row.Words()[short] == word, err
			}
		}
		return word == "", err
	})
}

func (w *world) eventually(t *testing.T, what string, ask func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		ok, err := ask(ctx)
		if ok && err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s: %v", what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (w *world) stall(t *testing.T, workload string) {
	t.Helper()
	must(t, w.Stall(t.Context(), w.proxy(t, workload)))
	for _, short := range []string{"cds", "lds", "eds", "rds"} {
		w.awaitStatus(t, workload, short, "STALE")
	}
}

// stale checks a proxy that gets no updates but still answers. The configuration that istiod would send shows what the
// proxy lacks.
func stale(t *testing.T, w *world) {
	w.stall(t, "reviews-v2")
	w.agrees(t)
	w.ask(t, `.proxies[] | select(stale) | .name`).exits(0).quiet().is(w.proxy(t, "reviews-v2").Pod)
	w.ask(t, `.proxy("reviews-v2") | synced, (.sync.cds | .status, .pushesBehind > 0)`).exits(0).quiet().is(false, "STALE", true)
	most := `cluster("` + ratingsCluster + `") | .circuitBreakers.thresholds[0].maxConnections`
	w.ask(t, `.proxy("reviews-v2") | [(`+most+`), (desired | `+most+`)]`).exits(0).quiet().is([]any{4294967295, 17})
	w.ask(t, `.proxy("reviews-v1") | [(`+most+`), (desired | `+most+`)]`).exits(0).quiet().is([]any{17, 17})
}

func rejected(t *testing.T, w *world) {
	must(t, w.Reject(t.Context(), w.proxy(t, "ratings-v1")))
	w.awaitStatus(t, "ratings-v1", "lds", "ERROR")
	w.agrees(t)
	w.ask(t, `.proxies[] | select(.lds=="ERROR") | .sync.lds.error | test("bogus.filter")`).exits(0).quiet().is(true)
	w.ask(t, `.proxy("ratings-v1") | .listeners[] | select(.state=="REJECTED") | [.name, (.error | test("bogus.filter"))]`).exits(0).quiet().
		is([]any{"virtualInbound", true})
	checkedByTheLeast(t, w)
}

// checkedByTheLeast runs check as an account that may only list pods and forward ports. It gets the findings from Envoy
// and istiod, and an unknown finding for each check whose inputs it may not read. With --fail-on-match the exit code
// depends on --unknown.
func checkedByTheLeast(t *testing.T, w *world) {
	a := w.ask(t, "check", "-c").exits(6).says("virtualServices", "forbidden")
	var unknown []any
	sawRejected := false
	for _, v := range a.values() {
		f, _ := v.(map[string]any)
		switch {
		case f["check"] == "rejected" && f["severity"] == "error":
			sawRejected = true
		case f["severity"] == "unknown" && f["check"] != "skew": // this istiod reports no version
			unknown = append(unknown, f["check"])
		}
	}
	if diff := cmp.Diff([]any{"conflicting-domains"}, unknown); diff != "" || !sawRejected {
		t.Errorf("rejected was found: %v; unknown: %s", sawRejected, diff)
	}
	w.ask(t, "check", "--only", "conflicting-domains", "--fail-on-match", "--allow-partial").exits(1)
	w.ask(t, "check", "--only", "conflicting-domains", "--fail-on-match", "--unknown=warn", "--allow-partial").exits(0)
	w.ask(t, "check", "--only", "missing-clusters,missing-secrets,permissive").exits(0)
}

func notSent(t *testing.T, w *world) {
	must(t, w.Withhold(t.Context()))
	w.awaitStatus(t, "istio-ingressgateway", "sds", "NOT SENT")
	w.agrees(t)
	w.ask(t, `.proxies[] | select(.sds=="NOT SENT") | .name, synced`).exits(0).quiet().is(w.proxy(t, "istio-ingressgateway").Pod, true)
	w.ask(t, `.proxy("istio-ingressgateway").listener("0.0.0.0_8443") | .state`).exits(0).quiet().is("WARMING")
}

// dead checks a proxy whose Envoy has exited while its pod is still running.
func dead(t *testing.T, w *world) {
	p := w.proxy(t, "reviews-v1")
	w.Kill(p)
	w.awaitStatus(t, "reviews-v1", "cds", "")
	w.ask(t, `[.proxies[]] | length`).exits(0).quiet().is(7)
	w.ask(t, `.proxies[] | select(.connected | not) | [.id, .cds, .pilot, .ready]`).exits(0).quiet().is([]any{p.ID(), "UNKNOWN", nil, true})
	w.agrees(t)
	w.ask(t, `.proxy("reviews-v1").clusters | length`).exits(6).says(p.ID(), "clusters", "port 15000 refused").lines(1).is()
}

// podDeleted checks a proxy whose pod is deleted while its Envoy is still connected.
func podDeleted(t *testing.T, w *world) {
	p := w.proxy(t, "reviews-v3")
	must(t, w.Delete(t.Context(), p))
	w.ask(t, `.proxies[] | select(.node == null) | [.id, .connected, .rds, .ready]`).exits(0).quiet().is([]any{p.ID(), true, "SYNCED", nil})
	w.ask(t, `[.proxies[] | .clusters | length > 10]`).exits(6).says(p.ID(), "clusters", "no such pod").lines(1).
		is([]any{true, true, true, true, true, true})
}

func (w *world) hang(t *testing.T, workload string) *mesh.Proxy {
	t.Helper()
	p := w.proxy(t, workload)
	must(t, w.Hang(t.Context(), p))
	return p
}

// hungAndDead checks a mesh with a proxy that hangs and one that is dead: the other five are still read.
func hungAndDead(t *testing.T, w *world) {
	hung, gone := w.hang(t, "details-v1"), w.proxy(t, "reviews-v1")
	w.Kill(gone)
	w.awaitStatus(t, "details-v1", "cds", "STALE")
	w.awaitStatus(t, "reviews-v1", "cds", "")
	w.agrees(t)
	want := []any{}
	for _, p := range w.byID() {
		if p != hung && p != gone {
			want = append(want, []any{p.ID(), dumpOf(t, p).clusters})
		}
	}
	query := `.proxies[] | [.id, ([.clusters[] | select(.state=="ACTIVE" or .state=="STATIC")] | length)]`
	w.ask(t, query, "--request-timeout", "2s").exits(6).within(4*time.Second).
		says(hung.ID(), "clusters", "no answer in 2s").says(gone.ID(), "clusters", "port 15000 refused").lines(2).is(want...)
	w.ask(t, query, "--request-timeout", "1s", "--allow-partial").exits(0).lines(2).is(want...)
	w.ask(t, query, "--timeout", "1s").within(3 * time.Second)
}

// hungByDefault checks that a proxy that sends nothing is skipped after 5 s.
func hungByDefault(t *testing.T, w *world) {
	hung := w.hang(t, "details-v1")
	a := w.ask(t, `[.proxies[] | select(.name | test("^(details|ratings)")) | .clusters | length > 10]`).exits(6).
		within(8*time.Second).says(hung.ID(), "no answer in 5s").lines(1).is([]any{true})
	if a.took < 5*time.Second {
		t.Errorf("given up after %v", a.took)
	}
}
