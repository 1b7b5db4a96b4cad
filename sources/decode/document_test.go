package decode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// camel is a shape that makes every name camelCase. It treats every object with a
// "@type" as an Any, like Envoy's shapes do.
type camel struct{ inAny bool }

func (c camel) Member(key []byte) (string, Shape) {
	parts := strings.Split(string(key), "_")
	for i, p := range parts[1:] {
		if p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, ""), camel{inAny: string(key) == "typed_config" || string(key) == "cluster"}
}

func (c camel) Typed([]byte) (Shape, bool) { return camel{}, c.inAny }

// camelled converts all names in a decoded value to camelCase, as the shape
// camel does.
func camelled(v any) any {
	switch x := v.(type) {
	case []any:
		for i := range x {
			x[i] = camelled(x[i])
		}
	case *object.Object:
		out := object.New(0)
		for k := range x.All() {
			name, _ := camel{}.Member([]byte(k))
			out.Set(name, camelled(x.Get(k)))
		}
		return out
	}
	return v
}

// realDump returns a config_dump of a real ingress gateway, with fewer clusters.
func realDump(t *testing.T) ([]byte, *Document) {
	b, err := os.ReadFile("testdata/config_dump.json")
	if err != nil {
		t.Fatal(err)
	}
	return b, &Document{Bytes: bytes.NewReader(b), Name: "config_dump.json"}
}

func TestRealDump(t *testing.T) {
	b, d := realDump(t)
	want, err := standard(b)
	if err != nil {
		t.Fatal(err)
	}
	for way, n := range map[string]*Node{"whole": {All: true}, "shallow": {Shallow: true}, "raw": {Raw: true}} {
		v, err := d.Pass(t.Context(), 0, -1, nil, n, nil)
		if err == nil {
			v, err = mesh.Deep(t.Context(), v)
		}
		if err != nil || !object.Equal(v, want) {
			t.Errorf("%s: not what encoding/json has; %v", way, err)
		}
	}
	want = camelled(want)
	v, err := d.Pass(t.Context(), 0, -1, camel{}, &Node{Raw: true}, nil)
	if err != nil || !object.Equal(forceAll(t, v), want) {
		t.Errorf("in camelCase, level by level: not what encoding/json has; %v", err)
	}
}

// TestRealDumpBySection reads sections as package envoy does: one pass reads the
// resources of two lists, one level of each, and the section's other fields.
func TestRealDumpBySection(t *testing.T) {
	b, d := realDump(t)
	var want struct {
		Configs []struct {
			Type   string `json:"@type"`
			Static []struct {
				Cluster *object.Object
			} `json:"static_clusters"`
			Active []struct {
				Cluster     *object.Object
				LastUpdated string `json:"last_updated"`
			} `json:"dynamic_active_clusters"`
		}
	}
	if err := object.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	var wanted []string
	for _, c := range want.Configs {
		wanted = append(wanted, "in "+c.Type)
		for _, s := range c.Static {
			wanted = append(wanted, "static "+s.Cluster.Get("name").(string))
		}
		for _, s := range c.Active {
			wanted = append(wanted, "active "+s.Cluster.Get("name").(string)+" "+s.LastUpdated)
		}
	}

	all, one := &Node{All: true}, &Node{Shallow: true}
	root := &Node{Walk: true, Fields: []Field{{"configs", &Node{Walk: true, Elem: &Node{Walk: true, Fields: []Field{
		{"@type", &Node{All: true, Visit: 1}},
		{"staticClusters", &Node{Walk: true, Elem: &Node{Fields: []Field{{"cluster", one}}, Visit: 2}}},
		{"dynamicActiveClusters", &Node{Walk: true, Elem: &Node{Fields: []Field{{"cluster", one}, {"lastUpdated", all}}, Visit: 3}}},
	}}}}}}
	var got []string
	v, err := d.Pass(t.Context(), 0, -1, camel{}, root, func(tag int, v any, off, end int64) error {
		switch tag {
		case 1:
			got = append(got, "in "+v.(string))
			return nil
		case 2:
			got = append(got, "static "+clusterName(v))
		case 3:
			got = append(got, "active "+clusterName(v)+" "+v.(*object.Object).Get("lastUpdated").(string))
		}
		if _, still := v.(*object.Object).Get("cluster").(*object.Object).Get("connectTimeout").(string); !still {
			return errors.New("names inside are not camelCase")
		}
		return nil
	})
	if err != nil || v != nil || !object.Equal(got, wanted) {
		t.Errorf("%v %v:\n%s\nwant\n%s", v, err, strings.Join(got, "\n"), strings.Join(wanted, "\n"))
	}
}

func clusterName(v any) string {
	return v.(*object.Object).Get("cluster").(*object.Object).Get("name").(string)
}

func TestNodes(t *testing.T) {
	const in = `{"a": 1, "b": {"c": [1, {"d": {}}], "e": {}, "f": [ ]}, "a": 2, "g": [[1], 2, {"a": 3}]}`
	some := func(names ...string) (fs []Field) {
		for _, n := range names {
			fs = append(fs, Field{n, &Node{All: true}})
		}
		return fs
	}
	for _, c := range []struct {
		node *Node
		want string
	}{
		{&Node{Fields: some("a")}, `{"a":2}`},
		{&Node{Fields: some("a", "none")}, `{"a":2}`},
		{&Node{Fields: some("none")}, `{}`},
		{&Node{Fields: []Field{{"a", nil}, {"b", &Node{Walk: true}}, {"g", &Node{All: true}}}}, `{"g":[[1],2,{"a":3}]}`},
		{&Node{Fields: []Field{{"b", &Node{Fields: some("e")}}}}, `{"b":{"e":{}}}`},
		{&Node{Fields: []Field{{"g", &Node{Elem: &Node{Fields: some("a")}}}}}, `{"g":[[1],2,{"a":3}]}`},
		{&Node{Fields: []Field{{"g", &Node{Elem: &Node{Walk: true}}}}}, `{"g":[]}`},
		{&Node{Fields: []Field{{"g", &Node{Fields: some("a")}}}}, `{"g":[[1],2,{"a":3}]}`},
		{&Node{Elem: &Node{Fields: some("e")}}, `{"a":2,"b":{"e":{}},"g":[[1],2,{"a":3}]}`},
		{&Node{All: true, Fields: []Field{{"b", nil}}}, `{"a":2,"g":[[1],2,{"a":3}]}`},
		{&Node{Shallow: true, Fields: []Field{{"b", &Node{Fields: some("e")}}}}, `{"a":2,"b":{"e":{}},"g":[[1],2,{"a":3}]}`},
		{&Node{Walk: true, Elem: &Node{All: true}}, `null`},
	} {
		v, err := small([]byte(in), 1).Pass(t.Context(), 0, -1, nil, c.node, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v, err = mesh.Deep(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		want, _ := standard([]byte(c.want))
		if !object.Equal(v, want) {
			t.Errorf("%s: %v, want %s", show(c.node), v, c.want)
		}
	}
}

func TestShallowLeavesWhatIsInside(t *testing.T) {
	v, err := small([]byte(`{"a":{"b":1},"c":[ ],"d":[],"e":{},"f":1}`), 1).Pass(t.Context(), 0, -1, nil, &Node{Shallow: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := v.(*object.Object)
	for name, want := range map[string]string{"a": "*decode.Value", "c": "*decode.Value", "d": "[]interface {}", "e": "*object.Object", "f": "int"} {
		if got := fmt.Sprintf("%T", m.Get(name)); got != want {
			t.Errorf("%s is a %s, want %s", name, got, want)
		}
	}
	if v, err = small([]byte(`{}`), 1).Pass(t.Context(), 0, -1, nil, &Node{Raw: true}, nil); err != nil {
		t.Fatal(err)
	}
	if _, ok := v.(*Value); !ok {
		t.Errorf("a raw {} is a %T", v)
	}
}

func TestVisitsInOrder(t *testing.T) {
	const in = `[{"n":"x","in":[1,2]}, {"in":[3]}, 4]`
	root := &Node{Walk: true, Visit: 9, Elem: &Node{Walk: true, Visit: 1, Fields: []Field{
		{"n", &Node{All: true, Visit: 2}}, {"in", &Node{Walk: true, Elem: &Node{All: true, Visit: 3}}},
	}}}
	var got []string
	_, err := small([]byte(in), 1).Pass(t.Context(), 0, -1, nil, root, func(tag int, v any, off, end int64) error {
		got = append(got, fmt.Sprint(tag, " ", v, " ", in[off:end]))
		return nil
	})
	want := []string{`2 x "x"`, `3 1 1`, `3 2 2`, `1 <nil> {"n":"x","in":[1,2]}`, `3 3 3`, `1 <nil> {"in":[3]}`, `1 <nil> 4`, `9 <nil> ` + in}
	if err != nil || !object.Equal(got, want) {
		t.Errorf("%v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestVisitStopsThePass(t *testing.T) {
	stop, visits := errors.New("enough"), 0
	d := small([]byte(`[1,2,3`), 0) // the array isn't closed, but the pass ends before the end of the array
	_, err := d.Pass(t.Context(), 0, -1, nil, &Node{Walk: true, Elem: &Node{Walk: true, Visit: 1}}, func(int, any, int64, int64) error {
		visits++
		if visits == 2 {
			return stop
		}
		return nil
	})
	if err != stop || visits != 2 {
		t.Errorf("%v after %d visits", err, visits)
	}
}

func TestPassOverAPart(t *testing.T) {
	d := small([]byte(`xx {"a":[1]} yy`), 1)
	v, err := d.Pass(t.Context(), 3, 12, nil, wholeNode, nil)
	if want := object.Of("a", []any{1}); err != nil || !object.Equal(v, want) {
		t.Error(v, err)
	}
	if _, err = d.Pass(t.Context(), 3, 11, nil, wholeNode, nil); fmt.Sprint(err) != "unexpected end of JSON at byte 11" {
		t.Error(err)
	}
	if _, err = d.Pass(t.Context(), 3, -1, nil, wholeNode, nil); fmt.Sprint(err) != "expected nothing after the JSON value but found 'y' at byte 13" {
		t.Error(err)
	}
}

func TestContextEndsAPass(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := &Document{Bytes: bytes.NewReader([]byte("[" + strings.Repeat("1,", 1<<20) + "1]")), Name: "x"}
	seen := 0
	_, err := d.Pass(ctx, 0, -1, nil, &Node{Walk: true, Elem: &Node{Walk: true, Visit: 1}}, func(int, any, int64, int64) error {
		seen++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || seen > windowSize {
		t.Errorf("%v after %d elements", err, seen)
	}
	if _, err = d.Value(0, d.Bytes.Size(), nil, false).Force(ctx); err != context.Canceled {
		t.Errorf("%#v", err)
	}
}

// shrunk is a file that has become shorter than its reported size.
type shrunk struct {
	*bytes.Reader
	size int64
}

func (s shrunk) Size() int64 { return s.size }

func TestBytesThatBecomeShorter(t *testing.T) {
	const in = `{"a":[1,2,3]}`
	d := &Document{Bytes: shrunk{bytes.NewReader([]byte(in[:8])), int64(len(in))}, Name: "config_dump.json", Proxy: "a.default"}
	if _, err := d.Pass(t.Context(), 0, -1, nil, wholeNode, nil); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	v := d.Value(5, 12, nil, false)
	for way, touch := range map[string]func() error{
		"force": func() error { _, err := v.Force(t.Context()); return err },
		"deep":  func() error { _, err := v.Deep(t.Context()); return err },
		"len":   func() error { _, err := v.Len(t.Context()); return err },
	} {
		var fault *mesh.Fault
		err := touch()
		if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.As(err, &fault) || err.Error() != "a.default: config_dump.json: unexpected EOF" {
			t.Errorf("%s: %v", way, err)
		}
	}
	if _, ok := v.Forced(); ok {
		t.Error("an error was kept")
	}
}

func TestNamed(t *testing.T) {
	d := &Document{Name: "config_dump.json"}
	err := d.Named(&SyntaxError{12, "unexpected end of JSON"})
	if got := d.Named(fmt.Errorf("clusters: %w", err)).Error(); got != "clusters: config_dump.json: unexpected end of JSON at byte 12" {
		t.Error(got)
	}
	if got := d.fault(err).Error(); got != "config_dump.json: unexpected end of JSON at byte 12" {
		t.Error(got)
	}
	for _, err := range []error{nil, context.Canceled, fmt.Errorf("x: %w", context.DeadlineExceeded)} {
		if got := d.Named(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	if err := io.ErrNoProgress; (&Document{}).Named(err) != err {
		t.Error("named without a name")
	}
}
