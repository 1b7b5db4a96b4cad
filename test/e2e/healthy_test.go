package e2e_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

func healthy(t *testing.T, w *world) {
	for query, want := range map[string]any{
		"[.proxies[]] | length": 7, "all(.proxies[]; synced)": true, "any(.proxies[]; stale)": false, ".faults": []any{},
	} {
		w.asSynced(t, query).exits(0).quiet().is(want)
	}
}

// healthyTable checks every cell of the table that "kubectl meshq" prints without arguments.
func healthyTable(t *testing.T, w *world) {
	a := w.asSynced(t).exits(0).quiet()
	rows := []string{"NAME CDS LDS EDS RDS PILOT VERSION"}
	for _, p := range w.byID() {
		rows = append(rows, p.ID()+" SYNCED SYNCED SYNCED SYNCED "+w.Istiods[0].Pod+" "+mesh.Version)
	}
	if diff := cmp.Diff(rows, ageless(a.out)); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
}

// asSynced returns the plugin's answer at a time when every proxy has acknowledged its configuration. On a busy machine
// a proxy may lag behind for a moment.
func (w *world) asSynced(t *testing.T, words ...string) *answer {
	t.Helper()
	return w.settled(t, func(said []any) bool {
		return !slices.ContainsFunc(said, func(row any) bool { return slices.Contains(row.([]any), any("STALE")) })
	}, words...)
}

// settled returns the plugin's answer at a time when istiod's status is the same before and after the run, and
// satisfies is. The nonces count: an update that was sent and acknowledged during the run shows in nothing else.
func (w *world) settled(t *testing.T, is func(said []any) bool, words ...string) *answer {
	t.Helper()
	var a *answer
	_, before := w.oracle(t)
	w.eventually(t, "istiod comes to rest", func(context.Context) (bool, error) {
		a = w.ask(t, words...)
		said, after := w.oracle(t)
		same := reflect.DeepEqual(before, after) && is(said)
		before = after
		return same, nil
	})
	return a
}

// byID returns the proxies sorted by ID, as in the document.
func (w *world) byID() []*mesh.Proxy {
	all := slices.Clone(w.Proxies)
	slices.SortFunc(all, func(a, b *mesh.Proxy) int { return strings.Compare(a.ID(), b.ID()) })
	return all
}

func asIstiodSays(t *testing.T, w *world) { w.agrees(t) }

// agrees compares the plugin's answer about every connected proxy with /debug/syncz of the istiods. It waits until the
// status is the same before and after the run.
func (w *world) agrees(t *testing.T) {
	t.Helper()
	var want []any
	w.settled(t, func(said []any) bool {
		want = said
		return true
	}, `.proxies[] | select(.connected) |
		[.id, .type, .clusterID, .version, .pilot, .cds, .lds, .eds, .rds, .sds, .ecds, .sync.lds.error]`).exits(0).quiet().is(want...)
}

// oracle returns the status that the istiods report, in the order of the document, and each proxy's row of
// /debug/syncz with its nonces.
func (w *world) oracle(t *testing.T) (all []any, rows map[string]mesh.Sync) {
	t.Helper()
	rows = map[string]mesh.Sync{}
	for _, i := range w.Istiods {
		if !i.Running() {
			continue
		}
		connected, err := i.Syncz(t.Context())
		must(t, err)
		for _, row := range connected {
			all = append(all, agreed(row, i))
			rows[i.Pod+" "+row.Proxy] = row
		}
	}
	slices.SortFunc(all, func(a, b any) int { return strings.Compare(a.([]any)[0].(string), b.([]any)[0].(string)) })
	return all, rows
}

func agreed(row mesh.Sync, i *mesh.Istiod) []any {
	words := row.Words()
	all := []any{row.Proxy, row.ProxyType, row.ClusterID, row.Version, i.Pod}
	for _, short := range []string{"cds", "lds", "eds", "rds", "sds", "ecds"} {
		if words[short] == "" {
			words[short] = "IGNORED"
		}
		all = append(all, words[short])
	}
	if refused := row.LastError("lds"); refused != "" {
		return append(all, refused)
	}
	return append(all, nil)
}
