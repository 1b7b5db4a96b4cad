package decode

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// twinned returns a document with the text b. All documents with the same table t
// share their equal values.
func twinned(b string, t *Twins) *Document {
	return &Document{Bytes: strings.NewReader(b), Twins: func() *Twins { return t }}
}

func roomy() *Twins { return NewTwins(1<<30, func(int64) {}) }

func whole(t *testing.T, d *Document) any {
	t.Helper()
	v, err := d.Pass(t.Context(), 0, -1, nil, wholeNode, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestTwinsAcrossDocuments checks that equal parts of two documents become one
// value in memory, even if the documents differ elsewhere.
func TestTwinsAcrossDocuments(t *testing.T) {
	twins := roomy()
	long := strings.Repeat("x", 3*internMost)
	a := whole(t, twinned(`{"a":{"b":[1,"`+long+`",{"c":null,"d":1.5}],"e":{}},"z":1}`, twins)).(*object.Object)
	b := whole(t, twinned(`[{"b":[1,"`+long+`",{"c":null,"d":1.5}],"e":{}},2]`, twins)).([]any)
	if !mesh.Identical(a.Get("a"), b[0]) {
		t.Error("equal objects are two")
	}
	c := whole(t, twinned(`{"b":[1,"`+long+`",{"c":null,"d":1.5}],"e":[]}`, twins)).(*object.Object)
	if !mesh.Identical(c.Get("b"), b[0].(*object.Object).Get("b")) || mesh.Identical(c, b[0]) {
		t.Error("equal arrays are two, or unequal objects one")
	}
	other := whole(t, twinned(`{"b":[1]}`, roomy())).(*object.Object)
	mine := whole(t, twinned(`{"b":[1]}`, twins)).(*object.Object)
	if mesh.Identical(other, mine) || mesh.Identical(whole(t, twinned(`{"b":[1]}`, nil)), mine) {
		t.Error("shared with another table, or with none")
	}
}

// TestTwinsKeepDifferentValuesApart decodes values that look alike but are
// different.
func TestTwinsKeepDifferentValuesApart(t *testing.T) {
	twins := roomy()
	for _, text := range []string{
		`[1]`, `["1"]`, `[1.0]`, `[1e0]`, `["1.0"]`, `[true]`, `["true"]`, `[null]`, `["null"]`, `[false]`, `[[]]`, `[{}]`, `[[],[]]`, `[[[]]]`,
		`{"1":1}`, `{"a":1}`, `{"a":"1"}`, `{"a":1,"b":1}`, `{"a":1,"b":2}`, `{"b":1,"a":2}`, `{"a":[1,2]}`, `{"a":[2,1]}`, `{"a":[1],"b":[2]}`,
		`{"a":1,"a":2}`, `{"a":1,"a":1}`, `{"a":2,"a":1}`, `{"a":1,"b":1,"a":1}`, `[1,[2]]`, `[[1],2]`, `[[1,2]]`, `["\ud800"]`, `["\ufffd"]`, "[\"\xff\"]", `[-0]`, `[0]`, `[0.0]`,
	} {
		for range 2 {
			want, _ := standard([]byte(text))
			if got := whole(t, twinned(text, twins)); !object.Equal(got, want) {
				t.Errorf("%s became %v", text, got)
			}
		}
	}
}

// TestTwinsOfRandomDocuments checks that random documents that share one table
// have the same values as in encoding/json, even if the table is soon full.
func TestTwinsOfRandomDocuments(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	wide, narrow := roomy(), NewTwins(2000, func(int64) {})
	for range 3000 {
		input := make([]byte, 60)
		for i := range input {
			input[i] = byte(r.Uint32())
		}
		c := choices(input)
		var text strings.Builder
		c.ordered(3).write(&text, &c)
		want, err := standard([]byte(text.String()))
		if err != nil {
			continue
		}
		for _, twins := range []*Twins{wide, narrow} {
			d := twinned(text.String(), twins)
			d.small, d.window = 12, 16
			if got := whole(t, d); !object.Equal(got, want) {
				t.Fatalf("%s became %v", text.String(), got)
			}
			v, err := d.Pass(t.Context(), 0, -1, nil, &Node{Raw: true}, nil)
			if err != nil || !object.Equal(forceAll(t, v), want) {
				t.Fatalf("%s, level by level, became %v, %v", text.String(), v, err)
			}
		}
	}
	if !narrow.Full() || wide.Full() {
		t.Error("the narrow table isn't full, or the wide one is")
	}
}

// TestTwinsOfOneSum forces two values to have the same hash, which otherwise happens
// with a probability of 1 in 2^64.
func TestTwinsOfOneSum(t *testing.T) {
	twins := roomy()
	const sum = 77
	a, b := object.Of("a", 1), object.Of("a", 2)
	if v, ok := twins.add(sum, a, 0); !ok || !mesh.Identical(v, a) {
		t.Fatal("not taken")
	}
	if _, ok := twins.add(sum, b, 0); ok {
		t.Error("two values in one place")
	}
	for what, got := range object.Of(
		"another value", twins.object(sum, []string{"a"}, []any{2}), "another name", twins.object(sum, []string{"b"}, []any{1}),
		"more", twins.object(sum, []string{"a", "b"}, []any{1, 1}), "less", twins.object(sum, nil, nil),
	).All() {
		if got.(*object.Object).Len() > 0 {
			t.Errorf("%s: %v", what, got)
		}
	}
	if got := twins.array(sum, []any{1}); got != nil {
		t.Error(got)
	}
	if v, ok := twins.text(sum, []byte("x")); ok || v != "x" {
		t.Error(v, ok)
	}
	if !mesh.Identical(twins.object(sum, []string{"a"}, []any{1}), a) {
		t.Error("not found")
	}
}

// TestTwinsOfConcurrentDocuments checks that goroutines that read the same
// documents get the same shared value.
func TestTwinsOfConcurrentDocuments(t *testing.T) {
	b, _ := realDump(t)
	want, err := standard(b)
	if err != nil {
		t.Fatal(err)
	}
	var held atomic.Int64
	twins := NewTwins(1<<30, func(n int64) { held.Add(n) })
	out := make([]any, 8)
	var wait sync.WaitGroup
	for i := range out {
		wait.Go(func() { out[i] = whole(t, twinned(string(b), twins)) })
	}
	wait.Wait()
	for _, v := range out {
		if !mesh.Identical(v, out[0]) || !object.Equal(v, want) {
			t.Error("not one value, or another")
		}
	}
	if held.Load() != twins.cost.Load() || held.Load() == 0 {
		t.Errorf("told %d of %d bytes", held.Load(), twins.cost.Load())
	}
}

// TestTwinsReportTheirMemory checks that the memory that a table reports is close to
// the memory that it uses. The documents report almost nothing, because the table
// contains their values.
func TestTwinsReportTheirMemory(t *testing.T) {
	b, _ := realDump(t)
	var held, own int64
	before := heap()
	twins := NewTwins(1<<30, func(n int64) { held += n })
	kept := make([]any, 20)
	for i := range kept {
		// In each document, some parts differ from all other documents, so that
		// no two documents are equal.
		text := bytes.ReplaceAll(b, []byte("default.svc"), fmt.Appendf(nil, "ns%d.svc", i))
		d := twinned(string(text), twins)
		d.Grew = func(n int64) { own += n }
		kept[i] = whole(t, d)
	}
	took := heap() - before
	runtime.KeepAlive(kept)
	runtime.KeepAlive(twins)
	if told := held + own; told < took/2 || told > 2*took {
		t.Errorf("told %d bytes, took %d", told, took)
	}
	if own > held/4 {
		t.Errorf("%d bytes for the documents, %d for the table", own, held)
	}
}

// TestTwinsAfterASyntaxError checks that if decoding ends with a syntax error or is
// canceled, the table keeps the values that were decoded until then, and reports their
// memory.
func TestTwinsAfterASyntaxError(t *testing.T) {
	var held int64
	twins := NewTwins(1<<30, func(n int64) { held += n })
	d := twinned(`[{"a":"b"},{"a":"c"},}`, twins)
	d.Grew = func(int64) { t.Error("a document that isn't there costs something") }
	if _, err := d.Pass(t.Context(), 0, -1, nil, wholeNode, nil); err == nil {
		t.Fatal("no mistake")
	}
	if held == 0 || held != twins.cost.Load() {
		t.Errorf("told %d of %d bytes", held, twins.cost.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Value(1, 10, nil, true).Force(ctx); err != context.Canceled {
		t.Error(err)
	}
}

// TestIdleDecodersKeepNoTable checks that a decoder in the pool doesn't keep a
// table in memory, and that a string that it has cached from one table isn't used
// for another.
func TestIdleDecodersKeepNoTable(t *testing.T) {
	d := newDecoder()
	one, two := roomy(), roomy()
	read := func(twins *Twins) {
		d.texts.from(twins)
		d.open(strings.NewReader(`["abc"]`), 0, Limits{}, 0)
		if v, err := d.document(wholeNode, nil); err != nil || !object.Equal(v, []any{"abc"}) {
			t.Fatal(v, err)
		}
	}
	read(one)
	read(two)
	if one.cost.Load() == 0 || two.cost.Load() != one.cost.Load() {
		t.Errorf("%d bytes in one, %d in the other", one.cost.Load(), two.cost.Load())
	}
	d.release()
	if d.texts.twins != nil {
		t.Error("an idle decoder holds a table")
	}
	if v, err := Read(strings.NewReader(`{"a":[1,"x"]}`), Limits{}); err != nil || fmt.Sprint(v) != "map[a:[1 x]]" {
		t.Error(v, err)
	}
}

// TestTwinsOfTheSameBytes checks that if the same bytes are decoded again, the table
// returns the first value. It must return another value for other bytes, and for the
// same bytes with another shape.
func TestTwinsOfTheSameBytes(t *testing.T) {
	twins := roomy()
	const text = `{"a_b":[1,{"c_d":"x"}]}`
	force := func(before, text string, s Shape) any {
		d := twinned(before+text+"]", twins)
		v, err := d.Value(int64(len(before)), int64(len(before)+len(text)), s, true).Force(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := force(`[`, text, nil)
	cost := twins.cost.Load()
	if again := force(`[0,  `, text, nil); !mesh.Identical(again, first) || twins.cost.Load() != cost {
		t.Error("the same bytes are read again")
	}
	for _, other := range []string{`{"a_b":[2,{"c_d":"x"}]}`, `{"a_b":[1,{"c_d":"x"}] }`} {
		want, _ := standard([]byte(other))
		if got := force(`[`, other, nil); !object.Equal(got, want) {
			t.Errorf("%s became %v", other, got)
		}
	}
	if got := force(`[`, text, upper{}); !object.Equal(got, object.Of("A_B", []any{1, object.Of("C_D", "x")})) {
		t.Errorf("of another shape: %v", got)
	}
	sum, same := uint64(5), []byte(`[1]`)
	twins.cache(sum, same, nil, "a")
	twins.cache(sum, []byte(`[2]`), nil, "b")
	if _, ok := twins.cached(sum, []byte(`[2]`), nil); ok {
		t.Error("two texts of one sum")
	}
	if v, ok := twins.cached(sum, []byte(`[1]`), nil); !ok || v != "a" {
		t.Error("not found")
	}
	narrow := NewTwins(100, func(int64) {})
	for i := range 50 {
		d := twinned(fmt.Sprintf(`{"n":[%d,"abcdefgh"]}`, i), narrow)
		if v, err := d.Value(0, d.Bytes.Size(), nil, true).Force(t.Context()); err != nil || fmt.Sprint(v) != fmt.Sprintf("map[n:[%d abcdefgh]]", i) {
			t.Errorf("%v, %v", v, err)
		}
	}
	if n := narrow.cost.Load(); n > 1000 {
		t.Errorf("a table of 100 bytes takes %d", n)
	}
}

// upper is a shape that converts all names to upper case.
type upper struct{}

func (upper) Member(key []byte) (string, Shape)   { return strings.ToUpper(string(key)), upper{} }
func (upper) Typed([]byte) (value Shape, ok bool) { return nil, false }
