package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A types resolves messages from the descriptors. It treats unknown messages as
// empty ones.
type types struct{ *dynamicpb.Types }

func (r types) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	if m, err := r.Types.FindMessageByURL(url); err == nil {
		return m, nil
	}
	return r.Types.FindMessageByName("google.protobuf.Empty")
}

func (r types) FindExtensionByName(protoreflect.FullName) (protoreflect.ExtensionType, error) {
	return nil, protoregistry.NotFound
}

func (r types) FindExtensionByNumber(protoreflect.FullName, protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	return nil, protoregistry.NotFound
}

// asProtojson parses a body as a message and returns it as Protobuf's JSON.
func asProtojson(t *testing.T, r types, message string, body []byte) any {
	t.Helper()
	mt, err := r.FindMessageByName(protoreflect.FullName(message))
	if err != nil {
		t.Fatal(err)
	}
	m := mt.New().Interface()
	if err := (protojson.UnmarshalOptions{Resolver: r, DiscardUnknown: true}).Unmarshal(body, m); err != nil {
		t.Fatal(err)
	}
	b, err := protojson.MarshalOptions{Resolver: r}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return plain(t, b)
}

func plain(t *testing.T, b []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// asDocument decodes a body with the table of fields, as the plugin does.
func asDocument(t *testing.T, message string, body []byte) any {
	t.Helper()
	doc := &decode.Document{Bytes: bytes.NewReader(body)}
	v, err := doc.Pass(t.Context(), 0, -1, envoy.ShapeOf(message), &decode.Node{All: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return plain(t, b)
}

// TestAgainstProtojson checks that the decoder with the table reads whole dumps in
// the same way as Protobuf's own JSON, including every name and value.
func TestAgainstProtojson(t *testing.T) {
	r := types{dynamicpb.NewTypes(files(t))}
	check := func(path, message string, exact bool) {
		t.Run(strings.Join(strings.Split(path, "/")[max(0, strings.Count(path, "/")-2):], "/"), func(t *testing.T) {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := comparison{t: t, types: r, exact: exact}
			c.compare("", asDocument(t, message, body), asProtojson(t, r, message, body))
			if c.values < 30 {
				t.Errorf("%d values compared", c.values)
			}
		})
	}
	for _, f := range found(t, "../testdata/*/config_dump.json", "../testdata/*/desired.json") {
		check(f, "envoy.admin.v3.ConfigDump", true)
	}
	for _, f := range found(t, "../testdata/*/clusters.json") {
		check(f, "envoy.admin.v3.Clusters", true)
	}
	// the answer contains default values, so it can't be compared exactly
	check("../testdata/reviews-v2/server_info.json", "envoy.admin.v3.ServerInfo", false)
	if testing.Short() {
		return
	}
	captures, _ := filepath.Glob("../../../../shared/captures/stale/*/*/config_dump*.json")
	for _, f := range captures {
		check(f, "envoy.admin.v3.ConfigDump", true)
	}
	data, _ := filepath.Glob("../../../../shared/istio-testdata/*config*dump.json")
	for _, f := range data {
		if strings.Contains(f, "ztunnel") || strings.Contains(f, "1.6-ingressgateway") {
			// skip a ztunnel's dump, and a dump that protojson refuses because
			// a name occurs twice in an object
			continue
		}
		check(f, "envoy.admin.v3.ConfigDump", false)
	}
}

func found(t *testing.T, patterns ...string) (all []string) {
	t.Helper()
	for _, p := range patterns {
		files, err := filepath.Glob(p)
		if err != nil || files == nil {
			t.Fatalf("%s: nothing there", p)
		}
		all = append(all, files...)
	}
	return all
}

// A comparison compares a dump in the document's form with the result of protojson.
// It isn't exact if the dump has another version than the descriptors, because the
// dump may contain fields that the messages don't have.
type comparison struct {
	t      *testing.T
	types  types
	exact  bool
	values int
}

func (c *comparison) compare(path string, got, want any) {
	c.values++
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			c.t.Errorf("%s: %T", path, got)
			return
		}
		if url, ok := g["@type"].(string); ok {
			if _, err := c.types.Types.FindMessageByURL(url); err != nil {
				return // the content of an Any of an unknown type stays unchanged
			}
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if _, ok := g[k]; !ok {
				c.t.Errorf("%s.%s is missing", path, k)
				continue
			}
			c.compare(path+"."+k, g[k], w[k])
		}
		for _, k := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[k]; !ok && c.exact && !zero(g[k]) {
				c.t.Errorf("%s.%s is too much: %v", path, k, g[k])
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			c.t.Errorf("%s: %T of another length", path, got)
			return
		}
		for i := range w {
			c.compare(fmt.Sprintf("%s[%d]", path, i), g[i], w[i])
		}
	default:
		if veiled := got == mesh.Redacted && strings.Contains(path, ".environmentVariables.keyValues."); !veiled && fmt.Sprint(got) != fmt.Sprint(want) {
			c.t.Errorf("%s: %v, not %v", path, got, want)
		}
	}
}

// zero reports whether a value is a default value, which Protobuf's JSON omits.
func zero(v any) bool {
	switch x := v.(type) {
	case string:
		return x == "" || x == "0"
	case bool:
		return !x
	case json.Number:
		return x == "0"
	case []any:
		return len(x) == 0
	}
	return v == nil
}
