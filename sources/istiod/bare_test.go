package istiod

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// holders maps a section to the paths of its resources in a real istiod's dump.
var holders = map[mesh.Section][]string{
	mesh.Clusters:  {"dynamicActiveClusters", "cluster"},
	mesh.Listeners: {"dynamicListeners", "activeState", "listener"},
	mesh.Routes:    {"dynamicRouteConfigs", "routeConfig"},
}

func within(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(*object.Object)
		v = m.Get(key)
	}
	return v
}

func resourcesOf(dump []*object.Object, s mesh.Section) (all []any) {
	for _, part := range dump {
		list, _ := part.Get(holders[s][0]).([]any)
		for _, e := range list {
			all = append(all, within(e, holders[s][1:]...))
		}
	}
	return all
}

func configs(t *testing.T, b []byte) []*object.Object {
	t.Helper()
	var dump struct{ Configs []*object.Object }
	if err := object.Unmarshal(b, &dump); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return dump.Configs
}

func wrapped(t *testing.T, s mesh.Section, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Wrap(t.Context(), &out, s, &decode.Document{Bytes: bytes.NewReader(b), Name: "x"}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestWrap extracts the bare resources from a real dump, wraps them again, and
// checks that reading the result returns the same resources.
func TestWrap(t *testing.T) {
	paths, _ := filepath.Glob("../testdata/stale/pilots/*/config_dump.reviews-v2-*.json")
	if len(paths) != 1 {
		t.Fatal(paths)
	}
	b, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	dump := configs(t, b)
	var bare []any
	for _, s := range []mesh.Section{mesh.Routes, mesh.Clusters, mesh.Listeners} {
		bare = append(bare, resourcesOf(dump, s)...)
	}
	text, err := json.Marshal(object.Of("configs", bare))
	if err != nil {
		t.Fatal(err)
	}
	for s := range holders {
		want := resourcesOf(dump, s)
		got := resourcesOf(configs(t, wrapped(t, s, text)), s)
		if d := cmp.Diff(want, got); d != "" || len(want) == 0 {
			t.Errorf("%s: %d: %s", s, len(want), d)
		}
	}
	if got := configs(t, wrapped(t, mesh.Endpoints, text)); len(got) != 1 || got[0].Get("@type") != "type.googleapis.com/envoy.admin.v3.EndpointsConfigDump" || len(got[0].Get("dynamicEndpointConfigs").([]any)) != 0 {
		t.Errorf("no endpoints: %v", got)
	}
	if got := wrapped(t, mesh.Clusters, b); len(got) != 0 {
		t.Errorf("a dump was made of a dump: %s", got)
	}
	if got := configs(t, wrapped(t, mesh.Clusters, []byte(`{"configs":[]}`))); len(got) != 1 {
		t.Errorf("of nothing: %v", got)
	}
}
