package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
)

var read = sync.OnceValues(func() (*protoregistry.Files, error) { return descriptors(envoyModules) })

var roots = []string{"envoy", "xds", "udpa"}

func files(t *testing.T) *protoregistry.Files {
	t.Helper()
	f, err := read()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTableIsUpToDate(t *testing.T) {
	want, err := table(files(t), roots...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../fields.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("fields.txt is not what the descriptors say: run go generate ./sources/envoy")
	}
	if len(want) > 400<<10 {
		t.Errorf("fields.txt has %d bytes", len(want))
	}
	if bytes.Count(want, []byte("\n")) < 1500 {
		t.Error("most of the messages are missing")
	}
}

// TestTableAgainstDescriptors looks up every field of every message by both spellings
// of its name. It checks that the table returns the JSON name and the type that the
// field's descriptor has.
func TestTableAgainstDescriptors(t *testing.T) {
	messageCount, fieldCount := 0, 0
	for _, m := range messages(files(t), roots) {
		messageCount++
		s := envoy.ShapeOf(string(m.FullName()))
		if s == nil {
			t.Fatalf("%s is not in the table", m.FullName())
		}
		for _, f := range inOrder(m) {
			fieldCount++
			for _, key := range []string{f.TextName(), f.JSONName()} {
				name, value := s.Member([]byte(key))
				// the value of this field is redacted, but the names inside it
				// are those of its message
				if veiled, ok := value.(decode.Veiled); ok {
					value = veiled.Shape
				}
				if name == "" {
					name = key
				}
				if name != f.JSONName() {
					t.Errorf("%s: %s becomes %s, not %s", m.FullName(), key, name, f.JSONName())
				}
				if f.IsMap() {
					if m := f.MapValue().Message(); scalar(m) {
						if value != nil && schemaless(m) {
							_, value = value.Member([]byte("a"))
						}
						same(t, f, value, m)
						continue
					}
					if value == nil {
						t.Errorf("%s: the values of the map have no shape", f.FullName())
						continue
					}
					key, inner := value.Member([]byte("a_key.of.a-map"))
					if key != "" && key != "a_key.of.a-map" {
						t.Errorf("%s: a key of the map becomes %s", f.FullName(), key)
					}
					same(t, f, inner, f.MapValue().Message())
					continue
				}
				same(t, f, value, f.Message())
			}
		}
	}
	if messageCount < 1500 || fieldCount < 5000 {
		t.Errorf("only %d messages, %d fields", messageCount, fieldCount)
	}
}

// scalar reports whether the JSON form of a message contains no field names.
func scalar(m protoreflect.MessageDescriptor) bool {
	return m == nil || strings.HasPrefix(string(m.FullName()), "google.protobuf.") && m.FullName() != "google.protobuf.Any"
}

// schemaless reports whether the JSON form of a message may be any JSON.
func schemaless(m protoreflect.MessageDescriptor) bool {
	return m != nil && slices.Contains([]protoreflect.FullName{"google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"}, m.FullName())
}

func same(t *testing.T, f protoreflect.FieldDescriptor, got decode.Shape, m protoreflect.MessageDescriptor) {
	t.Helper()
	switch {
	case schemaless(m):
		if got != nil && got != envoy.StructShape() {
			t.Errorf("%s: not the shape of what has no schema", f.FullName())
		}
	case scalar(m):
		if got != nil {
			t.Errorf("%s: has a shape, and holds %v", f.FullName(), m)
		}
	case m.IsPlaceholder() && m.FullName() != "google.protobuf.Any":
		name, inner := got.Member([]byte("a_field"))
		if name != "aField" || inner == nil {
			t.Errorf("%s: names in a message that isn't known stay as they are", f.FullName())
		}
	case untyped(f):
		if got != envoy.ShapeOf(untypedMessages[string(f.Name())]) {
			t.Errorf("%s: not the shape of the one resource it can be", f.FullName())
		}
	case got != envoy.ShapeOf(string(m.FullName())):
		t.Errorf("%s: not the shape of %s", f.FullName(), m.FullName())
	}
}

var untypedMessages = map[string]string{
	"cluster": "envoy.api.v2.Cluster", "listener": "envoy.api.v2.Listener",
	"route_config": "envoy.api.v2.RouteConfiguration", "secret": "envoy.api.v2.auth.Secret",
}

// untyped reports whether a field may contain a resource without its type. Only dumps
// of version 2 have such fields.
func untyped(f protoreflect.FieldDescriptor) bool {
	return f.ParentFile().Package() == "envoy.admin.v2alpha" && f.Message().FullName() == "google.protobuf.Any" &&
		untypedMessages[string(f.Name())] != ""
}

// TestRetiredFields checks that a message of version 3 also has the fields that only
// version 2 has in the descriptors.
func TestRetiredFields(t *testing.T) {
	for _, c := range []struct{ message, field, holds string }{
		{"envoy.config.cluster.v3.Cluster", "hosts", "envoy.api.v2.core.Address"},
		{"envoy.config.cluster.v3.Cluster", "tls_context", "envoy.api.v2.auth.UpstreamTlsContext"},
		{"envoy.config.listener.v3.FilterChain", "tls_context", "envoy.api.v2.auth.DownstreamTlsContext"},
		{"envoy.config.listener.v3.Filter", "config", ""},
		{"envoy.config.core.v3.Node", "build_version", ""},
	} {
		_, got := envoy.ShapeOf(c.message).Member([]byte(c.field))
		want := envoy.ShapeOf(c.holds)
		if c.field == "config" { // the type of this field is a Struct
			want = envoy.StructShape()
		}
		if got != want {
			t.Errorf("%s.%s: not the shape of %s", c.message, c.field, c.holds)
		}
	}
	line := retiredLine(t, "envoy.config.cluster.v3.Cluster")
	if !strings.Contains(line, " -hosts[]=envoy.api.v2.core.Address") {
		t.Errorf("no hosts in %s", line)
	}
}

func retiredLine(t *testing.T, message string) string {
	t.Helper()
	text, err := table(files(t), roots...)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, message+" ") {
			return line
		}
	}
	return ""
}

// TestTablesOfRedactAreUpToDate checks the tables that package redact embeds. It
// needs the modules of Istio and of the Gateway API in the module cache.
func TestTablesOfRedactAreUpToDate(t *testing.T) {
	for _, of := range []string{"istio", "kubernetes"} {
		want, err := tableOf(of)
		if err != nil {
			t.Skip(err)
		}
		got, err := os.ReadFile("../../redact/" + of + ".txt")
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s.txt is not what the modules say: run go generate ./sources/redact: %v", of, err)
		}
	}
}
