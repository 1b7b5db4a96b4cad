package main

import (
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"

	"bytes"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/meshq/kubectl-meshq/sources/xds"
)

func wireFiles(t *testing.T) *protoregistry.Files {
	t.Helper()
	f, err := descriptors(wireModules())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWireTableIsUpToDate(t *testing.T) {
	want, err := wire(wireFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../xds/messages.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("messages.txt.gz is not what the descriptors say: run go generate ./sources/xds")
	}
	if len(got) < 40<<10 || len(got) > 100<<10 {
		t.Errorf("messages.txt.gz has %d bytes", len(got))
	}
}

// TestWireAgainstProtojson fills every message that istiod can send to an Envoy with
// random values. It compares the JSON that sources/xds decodes from the message's
// bytes with that of the protobuf library.
func TestWireAgainstProtojson(t *testing.T) {
	r := types{dynamicpb.NewTypes(wireFiles(t))}
	d, err := xds.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	f := filler{types: r, rand: rand.New(rand.NewPCG(1, 2))}
	var all []protoreflect.MessageDescriptor
	wireFiles(t).RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if isSent(string(file.Package())) {
			all = appendMessages(all, file.Messages())
		}
		return true
	})
	slices.SortFunc(all, func(a, b protoreflect.MessageDescriptor) int {
		return bytes.Compare([]byte(a.FullName()), []byte(b.FullName()))
	})
	compared := 0
	for _, m := range all {
		if m.IsMapEntry() || m.ParentFile().Package() == "google.protobuf" {
			continue
		}
		for range 5 {
			mt, err := r.FindMessageByName(m.FullName())
			if err != nil {
				t.Fatal(err)
			}
			v := mt.New()
			f.fill(v, 3)
			want, err := protojson.MarshalOptions{Resolver: r}.Marshal(v.Interface())
			if err != nil {
				t.Fatalf("%s: %v", m.FullName(), err)
			}
			body, err := proto.Marshal(v.Interface())
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.JSON(xds.Type("type.googleapis.com/"+string(m.FullName())), body)
			if err != nil {
				t.Fatalf("%s: %v", m.FullName(), err)
			}
			g, ok := plain(t, got).(map[string]any)
			if !ok {
				t.Fatalf("%s: %s", m.FullName(), got)
			}
			delete(g, "@type")
			if w := plain(t, want); !reflect.DeepEqual(w, any(g)) {
				t.Fatalf("%s: (-want +got)\n%s", m.FullName(), cmp.Diff(w, any(g)))
			}
			compared++
		}
	}
	if compared < 5000 {
		t.Errorf("%d messages compared", compared)
	}
}

func appendMessages(all []protoreflect.MessageDescriptor, more protoreflect.MessageDescriptors) []protoreflect.MessageDescriptor {
	for i := range more.Len() {
		all = appendMessages(append(all, more.Get(i)), more.Get(i).Messages())
	}
	return all
}

// A filler sets fields of messages to random values.
type filler struct {
	types types
	rand  *rand.Rand
}

func (f filler) fill(m protoreflect.Message, depth int) {
	switch name := m.Descriptor().FullName(); name {
	case "google.protobuf.Any":
		inner, err := f.types.FindMessageByName("envoy.config.core.v3.Address")
		if err != nil {
			return
		}
		v := inner.New()
		if depth > 0 {
			f.fill(v, depth-1)
		}
		body, _ := proto.Marshal(v.Interface())
		m.Set(m.Descriptor().Fields().ByName("type_url"), protoreflect.ValueOfString("type.googleapis.com/envoy.config.core.v3.Address"))
		m.Set(m.Descriptor().Fields().ByName("value"), protoreflect.ValueOfBytes(body))
		return
	case "google.protobuf.Duration", "google.protobuf.Timestamp":
		m.Set(m.Descriptor().Fields().ByName("seconds"), protoreflect.ValueOfInt64(f.rand.Int64N(1e9)))
		m.Set(m.Descriptor().Fields().ByName("nanos"), protoreflect.ValueOfInt32([]int32{0, 5e8, 1234000, 7}[f.rand.IntN(4)]))
		return
	case "google.protobuf.Value":
		fields := m.Descriptor().Fields()
		switch f.rand.IntN(4) {
		case 0:
			m.Set(fields.ByName("number_value"), protoreflect.ValueOfFloat64(float64(f.rand.IntN(1000))/8))
		case 1:
			m.Set(fields.ByName("string_value"), protoreflect.ValueOfString("text <&>"))
		case 2:
			m.Set(fields.ByName("null_value"), protoreflect.ValueOfEnum(0))
		default:
			if depth > 0 {
				f.fill(m.Mutable(fields.ByName("struct_value")).Message(), depth-1)
			} else {
				m.Set(fields.ByName("bool_value"), protoreflect.ValueOfBool(true))
			}
		}
		return
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if f.rand.IntN(3) == 0 || fd.Message() != nil && depth == 0 || fd.Message() != nil && fd.Message().IsPlaceholder() {
			continue
		}
		switch {
		case fd.IsMap():
			if v := fd.MapValue(); v.Message() == nil || depth > 0 {
				for range 1 + f.rand.IntN(2) {
					value := f.scalar(v)
					if v.Message() != nil {
						value = m.Mutable(fd).Map().NewValue()
						f.fill(value.Message(), depth-1)
					}
					m.Mutable(fd).Map().Set(f.scalar(fd.MapKey()).MapKey(), value)
				}
			}
		case fd.IsList():
			for range 1 + f.rand.IntN(2) {
				if fd.Message() != nil {
					e := m.Mutable(fd).List().NewElement()
					f.fill(e.Message(), depth-1)
					m.Mutable(fd).List().Append(e)
				} else {
					m.Mutable(fd).List().Append(f.scalar(fd))
				}
			}
		case fd.Message() != nil:
			f.fill(m.Mutable(fd).Message(), depth-1)
		default:
			m.Set(fd, f.scalar(fd))
		}
	}
}

func (f filler) scalar(fd protoreflect.FieldDescriptor) protoreflect.Value {
	n := f.rand.Int64N(1 << 40)
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(n%2 == 0)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(n) - 1<<20)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(n - 1<<39)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(n) << 20)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(n) / 1000)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64([]float64{float64(n) / 7, 0, 1e-9, 1e300, math.Inf(1), -3}[f.rand.IntN(6)])
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{byte(n), 0xff, byte(n >> 8)})
	case protoreflect.EnumKind:
		values := fd.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(f.rand.IntN(values.Len())).Number())
	}
	return protoreflect.ValueOfString([]string{"", "a", "ü \" <&>\n", "outbound|9080||x"}[f.rand.IntN(4)])
}
