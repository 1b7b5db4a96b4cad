package e2e_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/test/e2e/mesh"
)

func healthy(t *testing.T, w *world) {
	w.ask(t, "[.proxies[]] | length").exits(0).quiet().is(7)
	w.ask(t, "all(.proxies[]; synced)").exits(0).quiet().is(true)
	w.ask(t, "any(.proxies[]; stale)").exits(0).quiet().is(false)
	w.ask(t, ".faults").exits(0).quiet().is([]any{})
}

// healthyTable holds the table that "kubectl meshq" alone prints, word by word.
func healthyTable(t *testing.T, w *world) {
	a := w.ask(t).exits(0).quiet()
	rows := []string{"NAME CDS LDS EDS RDS PILOT VERSION"}
	for _, p := range w.byID() {
		rows = append(rows, p.ID()+" SYNCED SYNCED SYNCED SYNCED "+w.Istiods[0].Pod+" "+mesh.Version)
	}
	if diff := cmp.Diff(rows, ageless(a.out)); diff != "" {
		t.Errorf("the table (-want +got):\n%s", diff)
	}
}

// byID are the proxies in the document's order.
func (w *world) byID() []*mesh.Proxy {
	all := slices.Clone(w.Proxies)
	slices.SortFunc(all, func(a, b *mesh.Proxy) int { return strings.Compare(a.ID(), b.ID()) })
	return all
}

func asIstiodSays(t *testing.T, w *world) { w.agrees(t) }

// agrees holds what the plugin says of every connected proxy against the
// syncz of the istiods, at a moment when that says the same before and after.
func (w *world) agrees(t *testing.T) {
	t.Helper()
	before := w.oracle(t)
	for range 20 {
		a := w.ask(t, `.proxies[] | select(.connected) |
			[.id, .type, .clusterID, .version, .pilot, .cds, .lds, .eds, .rds, .sds, .ecds, .sync.lds.error]`)
		after := w.oracle(t)
		if reflect.DeepEqual(before, after) {
			a.exits(0).quiet().is(before...)
			return
		}
		before = after
	}
	t.Fatal("istiod does not come to rest")
}

// oracle is what the istiods say, in the document's order.
func (w *world) oracle(t *testing.T) (all []any) {
	t.Helper()
	for _, i := range w.Istiods {
		if !i.Running() {
			continue
		}
		rows, err := i.Syncz(t.Context())
		must(t, err)
		for _, row := range rows {
			all = append(all, agreed(row, i))
		}
	}
	slices.SortFunc(all, func(a, b any) int { return strings.Compare(a.([]any)[0].(string), b.([]any)[0].(string)) })
	return all
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
