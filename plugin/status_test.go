package plugin

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestPercent checks the percentage of clusters that have received their endpoints,
// for a proxy with clusters that still wait for them, and for all proxies of the
// demo mesh.
func TestPercent(t *testing.T) {
	dump := dumpOfReviews(t)
	of := holdBack(t, dump, 3)
	want := fmt.Sprintf("UNKNOWN (%d%%)", 100*(of-3)/of)
	if got := cellsOf(t, said(t, "status", "--percent", "--snapshot", dump), []string{"CDS", "EDS"}); got[0][0] != "UNKNOWN" || got[0][1] != want {
		t.Errorf("%q, want %s", got, want)
	}
	for _, row := range cellsOf(t, said(t, "ps", "--percent", "--snapshot", "demo"), []string{"EDS"}) {
		if !strings.HasSuffix(row[0], " (100%)") {
			t.Errorf("%q", row)
		}
	}
}

// holdBack changes a dump so that its first n clusters of type EDS are warming. It
// returns the number of all clusters of type EDS.
func holdBack(t *testing.T, path string, n int) (all int) {
	t.Helper()
	var dump struct {
		Configs []*object.Object `json:"configs"`
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = object.Unmarshal(text, &dump)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range dump.Configs {
		list, _ := part.Get("dynamic_active_clusters").([]any)
		var active, warming []any
		for _, c := range list {
			if c.(*object.Object).Get("cluster").(*object.Object).Get("type") != "EDS" {
				active = append(active, c)
				continue
			}
			if all++; all <= n {
				warming = append(warming, c)
			} else {
				active = append(active, c)
			}
		}
		if list != nil {
			part.Set("dynamic_active_clusters", active)
			part.Set("dynamic_warming_clusters", warming)
		}
	}
	if text, err = json.Marshal(dump); err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestOldPercent checks that the table shows the percentage that an istiod of
// version 1.1 itself reports. No Envoy is needed for that.
func TestOldPercent(t *testing.T) {
	dir := t.TempDir()
	syncz := []*object.Object{}
	for proxy, percent := range map[string]int{"details-v1-6dcc6fbb9d-wsjz4.default": 100, "reviews-v2-686bbb668-99j76.default": 66} {
		row := object.Of("proxy", proxy, "endpoint_percent", percent)
		for _, pair := range []string{"cluster", "listener", "route", "endpoint"} {
			row.Set(pair+"_sent", "2019-01-10 18:43:21.5 +0000 UTC m=+7.1")
			row.Set(pair+"_acked", "2019-01-10 18:43:21.5 +0000 UTC m=+7.1")
		}
		syncz = append(syncz, row)
	}
	text, err := json.Marshal(syncz)
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, "pilots", "istio-pilot-75bdf98789-tfdvh.istio-system"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "pilots", "istio-pilot-75bdf98789-tfdvh.istio-system", "syncz.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"status", "ps", "ps --percent"} {
		_, out, _ := told(append(strings.Fields(words), "--snapshot", dir)...) // the snapshot contains neither pods nor Envoys
		got := map[string]string{}
		for _, row := range cellsOf(t, out, []string{"NAME", "CDS", "EDS"}) {
			got[row[0]] = row[1] + " " + row[2]
		}
		want := map[string]string{"details-v1-6dcc6fbb9d-wsjz4.default": "SYNCED SYNCED (100%)", "reviews-v2-686bbb668-99j76.default": "SYNCED SYNCED (66%)"}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %q", words, got)
		}
	}
}
