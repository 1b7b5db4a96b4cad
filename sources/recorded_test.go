package sources

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// shared opens a recording that is stored outside the repository. If it doesn't
// exist, the test is skipped.
func shared(t *testing.T, name string) *Mesh {
	t.Helper()
	path := "../../shared/" + name
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here", name)
	}
	return open(t, Options{Now: instantOf(t, "2026-11-22T13:00:00Z")}, source(t, path))
}

// lengths returns, as text, the number of elements in each available section of
// a proxy.
func lengths(t *testing.T, p *mesh.Object) string {
	t.Helper()
	kind, _ := at(t, p, "type").(string)
	var out []string
	for _, s := range mesh.RecordedSectionsOf(kind) {
		v, err := look(t, p, string(s.Name))
		if a, ok := v.([]any); ok && err == nil {
			out = append(out, fmt.Sprintf("%s %d", s.Name, len(a)))
		}
	}
	return strings.Join(out, ", ")
}

// TestBugReport checks that a bug report has the same content as a snapshot of the
// same mesh, except for data that istioctl doesn't collect.
func TestBugReport(t *testing.T) {
	m := shared(t, "captures/istioctl-bug-report.tar.gz")
	by, order := proxies(t, m)
	if len(order) != 7 || at(t, by[ratingsV1], "lds") != "ERROR" || at(t, by[reviewsV1], "node") != "node-0" || at(t, by[reviewsV1], "connected") != true {
		t.Errorf("%d proxies", len(order))
	}
	if got := lengths(t, by[gateway]); got != "clusters 31, listeners 3, routes 2, endpoints 18, secrets 3, extensions 0" {
		t.Errorf("%s", got)
	}
	if got := at(t, at(t, by[gateway], "endpoints").([]any)[0], "outlier"); got != "OK" {
		t.Errorf("outlier %v", got)
	}
	for field, want := range map[string]int{"pods": 8, "services": 7, "endpointSlices": 5, "nodes": 1, "virtualServices": 5, "gateways": 2, "kubeGateways": 0} {
		if got := at(t, m.Document(), field).([]any); len(got) != want {
			t.Errorf("%s: %d", field, len(got))
		}
	}
	if got := plain(t, at(t, at(t, m.Document(), "pilots").([]any)[0], "endpointShards")); got.(*object.Object).Len() == 0 {
		t.Error("no endpointShards")
	}
	if _, err := look(t, by[ratingsV1], "clusters"); err == nil || err.Error() != ratingsV1+": clusters: config_dump: not in the snapshot" {
		t.Errorf("%v", err)
	}
}

// TestOtherDumps reads single config dumps of other Istio versions and other types
// of proxies.
func TestOtherDumps(t *testing.T) {
	for file, want := range map[string]string{
		"1.21-waypoint.config_dump.json":           "httpbin-istio-waypoint-58f646c5ff-dbfkz.default waypoint: clusters 3, listeners 2, routes 1, endpoints 2, secrets 3, extensions 0",
		"1.6-sidecar-productpage.config_dump.json": "productpage-v1-7bbd79f8fd-k6j79.default sidecar: clusters 83, listeners 52, routes 30, secrets 0, extensions 0",
		"ztunnel.config_dump.json":                 "ztunnel ztunnel: secrets 5, workloads 27, services 19, policies 2, connections 8",
		"ecds.config_dump.json":                    "unknown <nil>: extensions 6",
	} {
		m := shared(t, "istio-testdata/"+file)
		by, order := proxies(t, m)
		if len(order) != 1 {
			t.Fatalf("%s: %q", file, order)
		}
		if got := fmt.Sprint(order[0], " ", at(t, by[order[0]], "type"), ": ", lengths(t, by[order[0]])); got != want {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
	}
}

// TestWholeCaptures reads every section of every proxy of whole captures. Only data
// that was not captured may be missing.
func TestWholeCaptures(t *testing.T) {
	for name, missing := range map[string]int{"stale": 0, "bookinfo": 7} {
		m := shared(t, "captures/"+name)
		by, order := proxies(t, m)
		for _, id := range order {
			for _, s := range mesh.SectionsOf("") {
				v, err := look(t, by[id], string(s.Name))
				if err == nil {
					_, err = mesh.Deep(t.Context(), v)
				}
				if err != nil && !strings.HasSuffix(err.Error(), ": loggers: logging: not in the snapshot") {
					t.Error(err)
				}
			}
		}
		if len(m.Faults()) != missing {
			t.Errorf("%s: %q", name, faults(m))
		}
	}
}
