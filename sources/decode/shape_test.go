package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// choices makes random decisions from the bytes of a fuzz input. Once all bytes are
// used, each decision is 0.
type choices []byte

func (c *choices) below(n int) int {
	if len(*c) == 0 {
		return 0
	}
	b := (*c)[0]
	*c = (*c)[1:]
	return int(b) % n
}

// An ordered is a JSON value whose members keep the order of the document.
type ordered struct {
	scalar string // the scalar as JSON; empty for an object or array
	names  []string
	items  []*ordered
	array  bool
}

var (
	someNames   = []string{"a_b", "name", "@type", "c_d", "aB", "x", "a_very_long_name_of_a_member_that_has_more_than_96_bytes_so_that_it_is_not_in_the_cache_of_names_at_all"}
	someScalars = []string{`"t0"`, `"t1"`, `"t2"`, `"t9"`, `1`, `null`, `"some words that make the value longer"`, `12345678901234567890`, `-7.50`, `true`, `"\u00e9\n"`, `false`}
)

func (c *choices) ordered(depth int) *ordered {
	kind := c.below(6)
	if kind >= 4 || depth == 0 {
		return &ordered{scalar: someScalars[c.below(len(someScalars))]}
	}
	o := &ordered{array: kind == 3}
	for range c.below(6) {
		name := someNames[c.below(len(someNames))]
		if name == "@type" && !o.array && c.below(4) > 0 {
			o.names, o.items = append(o.names, name), append(o.items, &ordered{scalar: someScalars[c.below(4)]})
			continue
		}
		o.names, o.items = append(o.names, name), append(o.items, c.ordered(depth-1))
	}
	return o
}

// write writes the value as JSON with varied white space and escapes.
func (o *ordered) write(b *strings.Builder, c *choices) {
	space := func() { b.WriteString([]string{"", "", "\n          ", " ", "\t"}[c.below(5)]) }
	if o.scalar != "" {
		b.WriteString(o.scalar)
		return
	}
	open, end := "{", "}"
	if o.array {
		open, end = "[", "]"
	}
	b.WriteString(open)
	for i, item := range o.items {
		if i > 0 {
			b.WriteString(",")
		}
		space()
		if !o.array {
			key := strconv.Quote(o.names[i])
			if c.below(4) == 1 {
				key = strings.NewReplacer("@", `\u0040`, "a", `\u0061`).Replace(key)
			}
			b.WriteString(key)
			space()
			b.WriteString(":")
			space()
		}
		item.write(b, c)
		space()
	}
	b.WriteString(end)
}

// A testShape is one of several shapes that refer to one another by their index
// in book; -1 means no shape.
type testShape struct {
	book   []*testShape
	kind   string         // the kind of the shape: "message", "map" or "any"
	fields map[string]int // for a message, the index of each member's shape by key; for an Any, the index by type
	value  int            // the index of the shape of a map's values
}

func (s *testShape) at(i int) Shape {
	if i < 0 {
		return nil
	}
	return s.book[i]
}

func (s *testShape) Member(key []byte) (string, Shape) {
	switch s.kind {
	case "map":
		return string(key), s.at(s.value)
	case "message":
		if i, ok := s.fields[string(key)]; ok {
			return strings.NewReplacer("_b", "B", "_d", "D").Replace(string(key)), s.at(i)
		}
		return "", nil
	}
	panic("an Any was asked for a member")
}

func (s *testShape) Typed(url []byte) (Shape, bool) {
	if s.kind != "any" {
		return nil, false
	}
	if i, ok := s.fields[string(url)]; ok {
		return s.at(i), true
	}
	return nil, true
}

// shape creates random field tables of messages that contain one another, and returns
// one of them, or nil.
func (c *choices) shape() Shape {
	book := make([]*testShape, 6)
	for i := range book {
		book[i] = &testShape{book: book, fields: map[string]int{}}
	}
	any := func() int { return c.below(len(book)+1) - 1 }
	for i, s := range book {
		switch {
		case i >= 4: // create an Any that may contain the other shapes
			s.kind = "any"
			for _, url := range []string{"t0", "t1", "t2"} {
				s.fields[url] = c.below(5) - 1
			}
		case i == 3:
			s.kind, s.value = "map", any()
		default:
			s.kind = "message"
			for _, name := range someNames {
				if name == "@type" || c.below(3) > 0 {
					s.fields[name] = any()
				}
			}
		}
	}
	return book[0].at(any())
}

// node creates a random tree of nodes.
func (c *choices) node(depth int) *Node {
	n := &Node{Visit: max(0, c.below(6)-2)}
	switch c.below(6) {
	case 0, 1:
		n.Walk = true
	case 2:
		n.All = true
	case 3:
		n.Shallow = true
	case 4:
		n.Raw = true
	}
	if depth > 0 {
		for _, name := range []string{"aB", "name", "@type", "cD", "c_d", "x"} {
			if c.below(4) == 1 {
				n.Fields = append(n.Fields, Field{name, c.node(depth - 1)})
			}
		}
		if c.below(2) == 1 {
			n.Elem = c.node(depth - 1)
		}
	}
	if n.Visit == 0 && c.below(8) == 1 {
		return nil
	}
	return n
}

// An expectation is the result that a pass should have. It is computed from values
// in memory as the doc comments of Node and Shape describe it.
type expectation struct{ visits []visited }

type visited struct {
	tag   int
	value any
	bytes any // the value at the reported offsets, decoded without a shape
}

func (e *expectation) value(o *ordered, s Shape, n *Node) any {
	v := e.look(o, s, n)
	if n != nil && n.Visit != 0 {
		e.visits = append(e.visits, visited{n.Visit, v, e.whole(o, nil)})
	}
	return v
}

func (e *expectation) whole(o *ordered, s Shape) any { return e.value(o, s, &Node{All: true}) }

func (e *expectation) look(o *ordered, s Shape, n *Node) any {
	open := n != nil && !n.All && !n.Shallow && !n.Walk && n.Elem == nil && (o.array || len(n.Fields) == 0)
	switch {
	case n == nil || o.scalar != "" && n.Walk:
		return nil
	case o.scalar != "":
		v, err := standard([]byte(o.scalar))
		if err != nil {
			panic(err)
		}
		return v
	case n.Raw, open:
		return e.whole(o, s)
	case o.array:
		return e.array(o, s, n)
	}
	return e.object(o, s, n)
}

func (e *expectation) array(o *ordered, s Shape, n *Node) any {
	out := []any{}
	for _, item := range o.items {
		child := n.Elem
		if child == nil {
			child = otherwise(n)
		}
		if v := e.value(item, s, child); child != nil && !child.Walk {
			out = append(out, v)
		}
	}
	if n.Walk {
		return nil
	}
	return out
}

func (e *expectation) object(o *ordered, s Shape, n *Node) any {
	out := object.New(0)
	t, _ := s.(*testShape)
	anything := t != nil && t.kind == "any"
	if anything {
		s = nil
		for i, name := range o.names {
			if name == "@type" {
				if url, ok := e.whole(o.items[i], nil).(string); ok {
					s, _ = t.Typed([]byte(url))
				}
				break
			}
		}
	}
	for i, key := range o.names {
		name, sub := key, Shape(nil)
		if s != nil && !(anything && key == "@type") {
			if name, sub = s.Member([]byte(key)); name == "" {
				name = key
			}
		}
		child := otherwise(n)
		if n.Elem != nil && len(n.Fields) == 0 {
			child = n.Elem
		}
		for _, f := range n.Fields {
			if f.Name == name {
				child = f.Node
				break
			}
		}
		if v := e.value(o.items[i], sub, child); child != nil && !child.Walk {
			out.Set(name, v)
		}
	}
	if n.Walk {
		return nil
	}
	return out
}

// otherwise returns the node for the members and elements that neither Fields
// nor Elem selects.
func otherwise(n *Node) *Node {
	switch {
	case n.All:
		return &Node{All: true}
	case n.Shallow:
		return &Node{Raw: true}
	}
	return nil
}

// checkShape runs a pass with a random shape and node, and compares its result
// with the expectation.
func checkShape(t *testing.T, input []byte) {
	c := choices(input)
	shape, root, o := c.shape(), c.node(3), c.ordered(4)
	var text strings.Builder
	o.write(&text, &c)
	b := []byte(text.String())

	var want expectation
	wantValue := want.value(o, shape, root)
	whole := new(expectation).whole(o, shape)
	twins := roomy()
	for _, window := range []int{1, 30, 0} {
		d := small(b, window)
		if window != 1 {
			d.Twins = func() *Twins { return twins }
		}
		var got expectation
		v, err := d.Pass(t.Context(), 0, -1, shape, root, func(tag int, v any, off, end int64) error {
			bytes, err := standard(b[off:end])
			if err != nil {
				return fmt.Errorf("%q was told as a value: %w", b[off:end], err)
			}
			v, err = mesh.Deep(t.Context(), v)
			got.visits = append(got.visits, visited{tag, v, bytes})
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if v, err = mesh.Deep(t.Context(), v); err != nil || !object.Equal(v, wantValue) {
			t.Fatalf("%s\nshape %s\nnode %s:\ngot  %v %v\nwant %v", b, show(shape), show(root), v, err, wantValue)
		}
		if !slices.EqualFunc(got.visits, want.visits, func(a, b visited) bool {
			return a.tag == b.tag && object.Equal(a.value, b.value) && object.Equal(a.bytes, b.bytes)
		}) {
			t.Fatalf("%s\nshape %s\nnode %s:\nvisited %v\nwant    %v", b, show(shape), show(root), got, want)
		}
		for _, n := range []*Node{{All: true}, {Shallow: true}, {Raw: true}} {
			v, err := d.Pass(t.Context(), 0, -1, shape, n, nil)
			if err != nil || !object.Equal(forceAll(t, v), whole) {
				t.Fatalf("%s\nshape %s\nlevel by level: %v %v\nwant %v", b, show(shape), forceAll(t, v), err, whole)
			}
		}
	}
}

func show(v any) string {
	if s, ok := v.(*testShape); ok {
		var out []string
		for i, one := range s.book {
			out = append(out, fmt.Sprintf("%d:%s %v %d", i, one.kind, one.fields, one.value))
			if one == s {
				out = append(out, "(this)")
			}
		}
		return strings.Join(out, "; ")
	}
	b, _ := json.Marshal(v)
	return string(b)
}

func FuzzShape(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 800 {
		b := make([]byte, 60+r.IntN(300))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(checkShape)
}

// someShape describes a message with ordinary fields, an Any, and a Struct
// whose names stay unchanged.
func someShape() Shape {
	m := &testShape{kind: "message"}
	a := &testShape{kind: "any", fields: map[string]int{"t0": 0}}
	m.book = []*testShape{m, a}
	a.book = m.book
	m.fields = map[string]int{"a_b": 0, "c_d": 1, "x": -1}
	return m
}

func TestAnyInAnyOrder(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"c_d":{"@type":"t0","a_b":{"a_b":1}}}`, `{"cD":{"@type":"t0","aB":{"aB":1}}}`},
		{`{"c_d":{"a_b":{"a_b":1},"@type":"t0"}}`, `{"cD":{"@type":"t0","aB":{"aB":1}}}`},
		{`{"c_d":{"a_b":1,"@type":"t0","c_d":{"a_b":2,"@type":"t0"}}}`, `{"cD":{"@type":"t0","aB":1,"cD":{"aB":2,"@type":"t0"}}}`},
		{`{"c_d":{"a_b":{"a_b":1},"@type":"unknown"}}`, `{"cD":{"@type":"unknown","a_b":{"a_b":1}}}`},
		{`{"c_d":{"@type":"unknown","a_b":{"a_b":1}}}`, `{"cD":{"@type":"unknown","a_b":{"a_b":1}}}`},
		{`{"c_d":{"a_b":{"a_b":1}}}`, `{"cD":{"a_b":{"a_b":1}}}`},
		{`{"c_d":{"@type":7,"a_b":1}}`, `{"cD":{"@type":7,"a_b":1}}`},
		{`{"c_d":{"a_b":1,"@type":{"a_b":1}}}`, `{"cD":{"@type":{"a_b":1},"a_b":1}}`},
		{`{"c_d":{"\u0040type":"t\u0030","a_b":1}}`, `{"cD":{"@type":"t0","aB":1}}`},
		{`{"c_d":{"@type":"t\u0030","a_b":1}}`, `{"cD":{"@type":"t0","aB":1}}`},
		{`{"c_d":{"@type":"t0","a_b":1,"@type":"unknown"}}`, `{"cD":{"@type":"unknown","aB":1}}`},
		{`{"c_d":[[{"@type":"t0","a_b":1}],{"a_b":1,"@type":"t0"},{}]}`, `{"cD":[[{"@type":"t0","aB":1}],{"aB":1,"@type":"t0"},{}]}`},
		{`{"x":{"a_b":[{"a_b":1}]},"other_x":{"a_b":1}}`, `{"x":{"a_b":[{"a_b":1}]},"other_x":{"a_b":1}}`},
		{`{"c_d":{"@type":"t0"` + strings.Repeat(" ", 200) + `,"a_b":1}}`, `{"cD":{"@type":"t0","aB":1}}`},
	} {
		want, err := standard([]byte(c.want))
		if err != nil {
			t.Fatal(err)
		}
		for _, window := range []int{1, 0} {
			v, err := small([]byte(c.in), window).Pass(t.Context(), 0, -1, someShape(), wholeNode, nil)
			if err != nil || !object.Equal(v, want) {
				t.Errorf("%s: %v %v, want %v", c.in, v, err, want)
			}
		}
	}
}

// TestManySearchesForType reads a document in which each Any has its type after
// a nested Any. The document must be refused before it costs more than a few
// passes.
func TestManySearchesForType(t *testing.T) {
	const deep = 4000
	for _, c := range []struct {
		deep int
		ok   bool
	}{{30, true}, {deep, false}} {
		in := `{"c_d":` + strings.Repeat(`{"c_d":`, c.deep) + `"` + strings.Repeat("x", 100_000) + `"` + strings.Repeat(`,"@type":"t0"}`, c.deep) + "}"
		d := &Document{Bytes: bytes.NewReader([]byte(in))}
		_, err := d.Pass(t.Context(), 0, -1, someShape(), wholeNode, nil)
		if c.ok != (err == nil) {
			t.Errorf("%d levels: %v", c.deep, err)
		}
	}
}

// TestErrorAfterReadingAhead checks that an error inside an Any is reported in the
// same way whether or not the decoder had to search for the type first.
func TestErrorAfterReadingAhead(t *testing.T) {
	for _, rest := range []string{`[[[[[1]]]]],tru`, `{"x":tru}`, `{"x":"\q"}`, `{"x":1`, `[}`, ``} {
		var said []string
		for _, start := range []string{`{"c_d":{"name":1,"y":`, `{"abc":{"name":1,"y":`} {
			d := small([]byte(start+rest), 1)
			d.Limits.Depth = 5
			_, err := d.Pass(t.Context(), 0, -1, someShape(), wholeNode, nil)
			said = append(said, fmt.Sprint(err))
		}
		if said[0] != said[1] || said[0] == "<nil>" {
			t.Errorf("%q: %q, without an Any %q", rest, said[0], said[1])
		}
	}
}

// anyOrder is the shape of a map, whose members have no fixed order.
type anyOrder struct{}

func (anyOrder) Member([]byte) (string, Shape) { return "", nil }
func (anyOrder) Typed([]byte) (Shape, bool)    { return nil, false }
func (anyOrder) Unordered()                    {}

// TestMapsAreSorted checks that the members of a message keep their order, and that
// those of a map are sorted. Two maps with the same members must become one shared
// value.
func TestMapsAreSorted(t *testing.T) {
	many := "{"
	for i := range 100 {
		many += fmt.Sprintf(`"k%02d":%d,`, (i*37)%100, i)
	}
	many += `"k":0,"k":1}`
	for in, want := range map[string]string{`{"b":1,"a":{"z":1,"c":2},"b":3}`: `b a`, many: ""} {
		for _, s := range []Shape{nil, anyOrder{}} {
			v, err := small([]byte(in), 0).Pass(t.Context(), 0, -1, s, wholeNode, nil)
			if err != nil {
				t.Fatal(err)
			}
			keys := v.(*object.Object).Keys()
			if sorted := slices.IsSorted(keys); sorted != (s != nil) || s == nil && want != "" && strings.Join(keys, " ") != want {
				t.Errorf("%.40s: %.100q", in, keys)
			}
		}
	}
	twins := roomy()
	a, _ := twinned(`{"b":[1],"a":"x"}`, twins).Pass(t.Context(), 0, -1, anyOrder{}, wholeNode, nil)
	b, _ := twinned(`{"a":"x","b":[1]}`, twins).Pass(t.Context(), 0, -1, anyOrder{}, wholeNode, nil)
	if !mesh.Identical(a, b) {
		t.Error("equal maps are two")
	}
}
