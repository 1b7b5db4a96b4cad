package envoy

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

func TestTableFindsEveryLine(t *testing.T) {
	n := 0
	for line := range strings.Lines(fieldText) {
		if line[0] == '#' {
			continue
		}
		n++
		name, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if found, ok := envoyFields().line(name); !ok || found+"\n" != line {
			t.Fatalf("%s is not found", name)
		}
		if _, ok := envoyFields().line(name + "x"); ok {
			t.Fatalf("%sx is found", name)
		}
	}
	for _, name := range []string{"", "#", "envoy", "zzz", "envoy.config.cluster.v3.", "envoy.config.cluster.v3.Cluster "} {
		if m := envoyFields().message(name); m != nil {
			t.Errorf("%q is found", name)
		}
	}
	if n < 1500 {
		t.Errorf("%d messages", n)
	}
}

func TestTableIsSafeForAll(t *testing.T) {
	table := newFieldTable(fieldText)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, name := range []string{"envoy.config.cluster.v3.Cluster", "envoy.config.route.v3.Route", "envoy.config.core.v3.Address"} {
				if got, _ := table.message(name).Member([]byte("socket_address")); got != "socketAddress" {
					panic(got)
				}
			}
		})
	}
	all.Wait()
	_, a := table.message("envoy.config.endpoint.v3.Endpoint").Member([]byte("address"))
	if a != table.message("envoy.config.core.v3.Address") {
		t.Error("one message has two shapes")
	}
}

// TestTableForms checks entries of the field table in forms that no current
// field of Envoy uses.
func TestTableForms(t *testing.T) {
	table := newFieldTable("# head\na.B own_name|theName=^C kept* -gone=x.Y\na.C some_field\nx.Y open?\n")
	b := table.message("a.B")
	for key, want := range map[string]string{"own_name": "theName", "theName": "theName", "kept": "kept", "gone": "gone", "new_one": "newOne", "_x_Y1__z_": "XY1Z"} {
		name, _ := b.Member([]byte(key))
		if name == "" {
			name = key
		}
		if name != want {
			t.Errorf("%s becomes %s, not %s", key, name, want)
		}
	}
	if got := b.fieldNames(); !slices.Equal(got, []string{"theName", "kept"}) {
		t.Errorf("fields: %v", got)
	}
	if _, s := b.Member([]byte("theName")); s != table.message("a.C") {
		t.Error("own_name has another shape")
	}
}

func TestAny(t *testing.T) {
	for _, c := range []struct {
		url   string
		shape string // the shape of the value; "-" if it stays unchanged; "value" if it is another Any under "value"
	}{
		{"type.googleapis.com/envoy.config.cluster.v3.Cluster", "envoy.config.cluster.v3.Cluster"},
		{"type.googleapis.com/envoy.api.v2.Cluster", "envoy.api.v2.Cluster"},
		{"envoy.config.cluster.v3.Cluster", "envoy.config.cluster.v3.Cluster"},
		{"type.googleapis.com/istio.workload.Address", "-"},
		{"type.googleapis.com/google.protobuf.Struct", "-"},
		{"type.googleapis.com/google.protobuf.StringValue", "-"},
		{"type.googleapis.com/google.protobuf.Any", "value"},
		{"", "-"},
	} {
		s, ok := ShapeOf("google.protobuf.Any").Typed([]byte(c.url))
		if !ok {
			t.Fatalf("%s: no Any", c.url)
		}
		switch c.shape {
		case "-":
			if c.url == "" && s != nil || c.url != "" && s != StructShape() {
				t.Errorf("%s: has a shape of its own", c.url)
			}
		case "value":
			if _, inner := s.Member([]byte("value")); inner != ShapeOf("google.protobuf.Any") {
				t.Errorf("%s: value is no Any", c.url)
			}
		default:
			if s != ShapeOf(c.shape) {
				t.Errorf("%s: not the shape of %s", c.url, c.shape)
			}
		}
	}
	if _, ok := ShapeOf("envoy.config.cluster.v3.Cluster").Typed(nil); ok {
		t.Error("a message is taken for an Any")
	}
}

// TestMessageFieldsAgainstDescriptors checks that MessageFields returns the
// JSON names in the descriptors, and that no field that the plugin adds to an
// object has the name of one of Envoy's fields.
func TestMessageFieldsAgainstDescriptors(t *testing.T) {
	for kind, m := range map[string]proto.Message{
		"Cluster": &clusterv3.Cluster{}, "Listener": &listenerv3.Listener{}, "RouteConfiguration": &routev3.RouteConfiguration{},
		"VirtualHost": &routev3.VirtualHost{}, "Route": &routev3.Route{}, "ExtensionConfig": &corev3.TypedExtensionConfig{},
	} {
		var want []string
		fields := m.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			want = append(want, fields.Get(i).JSONName())
		}
		slices.Sort(want)
		if got := MessageFields(kind); !slices.Equal(got, want) {
			t.Errorf("%s: %v, not %v", kind, got, want)
		}
		k, _ := mesh.KindOf(kind)
		for _, f := range k.Fields {
			if slices.Contains(want, f.Name) {
				t.Errorf("%s.%s is a field of Envoy's too", kind, f.Name)
			}
		}
	}
	if got := MessageFields("Endpoint"); got != nil {
		t.Errorf("Endpoint: %v", got)
	}
}

func ExampleMessageFields() {
	fmt.Println(MessageFields("ExtensionConfig"))
	// Output: [name typedConfig]
}
