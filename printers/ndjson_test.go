package printers

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

func TestNDJSONHasOneObjectPerLine(t *testing.T) {
	proxy := mesh.NewObject("Proxy", nil, object.Of("id", "a.shop", "rds", "STALE"))
	cluster := func() *mesh.Object {
		return mesh.NewObject("Cluster", proxy, object.Of("name", "x\ny", "type", "EDS"))
	}
	desired := mesh.NewObject("Desired", proxy, object.New(0))
	for name, c := range map[string]struct {
		v    any
		want string
	}{
		"a proxy":                        {proxy, `{"kind":"Proxy","proxy":"a.shop","id":"a.shop","rds":"STALE"}`},
		"a part of a proxy":              {cluster(), `{"kind":"Cluster","proxy":"a.shop","name":"x\ny","type":"EDS"}`},
		"what istiod would send":         {mesh.NewObject("Cluster", desired, object.Of("name", "b")), `{"kind":"Cluster","proxy":"a.shop","name":"b"}`},
		"an array of objects":            {[]any{cluster(), object.Of("a", 1)}, `{"kind":"Cluster","proxy":"a.shop","name":"x\ny","type":"EDS"}` + "\n" + `{"kind":null,"proxy":null,"a":1}`},
		"an object with its own proxy":   {object.Of("n", 1, "proxy", "own", "kind", "Finding"), `{"kind":"Finding","proxy":"own","n":1}`},
		"a number":                       {1, `{"kind":null,"proxy":null,"value":1}`},
		"null":                           {nil, `{"kind":null,"proxy":null,"value":null}`},
		"an array with other values":     {[]any{1, object.Of("a", 1)}, `{"kind":null,"proxy":null,"value":[1,{"a":1}]}`},
		"a Kubernetes list":              {object.Of("apiVersion", "v1", "kind", "PodList", "items", []any{object.Of("kind", "Pod", "metadata", nil)}), `{"kind":"Pod","proxy":null,"metadata":null}`},
		"an array with a part of a list": {[]any{unavailablePart(), object.Of("a", 1)}, `{"kind":null,"proxy":null,"value":null}` + "\n" + `{"kind":null,"proxy":null,"a":1}`},
	} {
		if got := render(t, Options{Format: "ndjson"}, c.v); got != c.want+"\n" {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
	if got, want := render(t, Options{Format: "ndjson", Sorted: true}, object.Of("b", 1, "a", 2)), `{"a":2,"b":1,"kind":null,"proxy":null}`+"\n"; got != want {
		t.Errorf("sorted: %s, want %s", got, want)
	}
	if got := render(t, Options{Format: "ndjson"}, []any{}); got != "" {
		t.Errorf("an empty array: %q", got)
	}
	if _, err := New(Options{Format: "ndjson", Tab: true}); err == nil || !errors.As(err, new(*UsageError)) {
		t.Errorf("--tab with -o ndjson: error %v", err)
	}
}

// TestNDJSONOfCapture checks each line of an Envoy's objects: it is valid JSON, it
// names its kind and its proxy first, and its other members are those of -o json.
func TestNDJSONOfCapture(t *testing.T) {
	var values []any
	for _, all := range tableCases(t) {
		for _, c := range all {
			for _, v := range c.values {
				if _, isObject := v.(*mesh.Object); isObject {
					values = append(values, v)
				}
			}
		}
	}
	lines := strings.Split(strings.TrimSuffix(render(t, Options{Format: "ndjson"}, values...), "\n"), "\n")
	if len(values) < 50 || len(lines) != len(values) {
		t.Fatalf("%d lines of %d values", len(lines), len(values))
	}
	for i, line := range lines {
		var got, want map[string]any
		if err := errors.Join(json.Unmarshal([]byte(line), &got), json.Unmarshal([]byte(render(t, Options{Format: "json"}, values[i])), &want)); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !strings.HasPrefix(line, `{"kind":"`+want["kind"].(string)+`","proxy":`) {
			t.Errorf("%.100s: want the kind and the proxy first", line)
		}
		if _, own := want["proxy"]; !own {
			want["proxy"] = proxyID(values[i])
		}
		a, _ := json.Marshal(got)
		if b, _ := json.Marshal(want); !slices.Equal(a, b) {
			t.Errorf("%s\nwant\n%s", a, b)
		}
	}
}
