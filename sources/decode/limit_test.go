package decode

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// ways has nodes that read a document in different ways. Reading with each of
// them must report every error.
var ways = map[string]*Node{
	"skipped": nil, "whole": {All: true}, "shallow": {Shallow: true}, "raw": {Raw: true},
	"walked": {Walk: true, Fields: []Field{{"a", &Node{Walk: true, Fields: []Field{{"b", nil}}}}}, Elem: &Node{Walk: true, Visit: 1}},
}

func ignore(int, any, int64, int64) error { return nil }

func TestNesting(t *testing.T) {
	for _, pair := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
		for _, c := range []struct {
			levels int
			want   string
		}{
			{10_000, "<nil>"},
			{10_001, fmt.Sprintf("nesting deeper than 10000 levels at byte %d", 10_000*len(pair[0]))},
			{100_000, fmt.Sprintf("nesting deeper than 10000 levels at byte %d", 10_000*len(pair[0]))},
		} {
			b := []byte(strings.Repeat(pair[0], c.levels) + "1" + strings.Repeat(pair[1], c.levels))
			if json.Valid(b) != (c.want == "<nil>") {
				t.Fatal("encoding/json has another limit")
			}
			for way, n := range ways {
				if _, err := small(b, 0).Pass(t.Context(), 0, -1, nil, n, ignore); fmt.Sprint(err) != c.want {
					t.Errorf("%d levels %s: %v", c.levels, way, err)
				}
			}
			if _, err := Read(bytes.NewReader(b), Limits{}); fmt.Sprint(err) != c.want {
				t.Errorf("%d levels read: %v", c.levels, err)
			}
		}
	}
}

// TestNestingOfMixedWays checks that the nesting depth is counted from the outermost
// container even if a pass decodes the outer containers and skips the inner ones.
func TestNestingOfMixedWays(t *testing.T) {
	d := small([]byte(`{"a":{"b":[[1]]}}`), 0)
	for depth, want := range map[int64]string{3: "nesting deeper than 3 levels at byte 11", 4: "<nil>"} {
		d.Limits.Depth = depth
		for way, n := range ways {
			if _, err := d.Pass(t.Context(), 0, -1, nil, n, ignore); fmt.Sprint(err) != want {
				t.Errorf("%s, limit %d: %v", way, depth, err)
			}
		}
	}
}

// TestManyBracketsCut reads a document that ends after 100,000 opening
// brackets.
func TestManyBracketsCut(t *testing.T) {
	b := []byte(strings.Repeat("[", 100_000))
	for way, n := range ways {
		d := small(b, 0)
		d.Limits.Depth = 200_000
		if _, err := d.Pass(t.Context(), 0, -1, nil, n, ignore); fmt.Sprint(err) != "unexpected end of JSON at byte 100000" {
			t.Errorf("%s: %v", way, err)
		}
	}
}

func TestCutAnywhere(t *testing.T) {
	const in = ` {"a": {"b": [true, false, null, -1.5e+3, "x\u00e9\n", {}]}, "": [[], ""]}`
	for i := range len(in) {
		for way, n := range ways {
			for _, window := range []int{1, 0} {
				_, err := small([]byte(in[:i]), window).Pass(t.Context(), 0, -1, nil, n, ignore)
				var bad *SyntaxError
				if !errors.As(err, &bad) || bad.Offset != int64(i) || i > 1 && bad.Msg != "unexpected end of JSON" {
					t.Errorf("cut at %d, %s: %v", i, way, err)
				}
			}
		}
	}
}

func TestMessages(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "empty input instead of JSON at byte 0",
		" \n\t ":                "only white space instead of JSON at byte 4",
		"\uFEFF":                "only white space instead of JSON at byte 3",
		"\xff\xfe{\x00}\x00":    "UTF-16 or binary data instead of JSON in UTF-8 at byte 0",
		"\x00":                  "expected a JSON value but found byte 0x00 at byte 0",
		"[1\x00]":               "expected ',' or ']' but found byte 0x00 at byte 2",
		"{\"a\x00\":1}":         "expected no control character in a string but found byte 0x00 at byte 3",
		`{"a":1`:                "unexpected end of JSON at byte 6",
		`{"a" 1}`:               "expected ':' but found '1' at byte 5",
		`{"a":1,}`:              "expected a name in quotes but found '}' at byte 7",
		`[1,]`:                  "expected a JSON value but found ']' at byte 3",
		`[1 2]`:                 "expected ',' or ']' but found '2' at byte 3",
		`{"a":1 "b":2}`:         "expected ',' or '}' but found '\"' at byte 7",
		`[1.x]`:                 "expected a digit but found 'x' at byte 3",
		`[-]`:                   "expected a digit but found ']' at byte 2",
		`[01]`:                  "expected ',' or ']' but found '1' at byte 2",
		`[trux]`:                "expected true but found 'x' at byte 4",
		`["\q"]`:                "expected an escape but found 'q' at byte 3",
		`["\u12g4"]`:            "expected a hexadecimal digit but found 'g' at byte 6",
		"{} \n x":               "expected nothing after the JSON value but found 'x' at byte 5",
		`<!DOCTYPE html>`:       "expected a JSON value but found '<' at byte 0",
		"\uFEFF{\"a\":\"\xc3\"": "unexpected end of JSON at byte 11",
	} {
		for way, n := range ways {
			for _, window := range []int{1, 0} {
				if _, err := small([]byte(in), window).Pass(t.Context(), 0, -1, nil, n, ignore); fmt.Sprint(err) != want {
					t.Errorf("%q %s: %v, want %s", in, way, err, want)
				}
			}
		}
		if _, err := Read(strings.NewReader(in), Limits{}); fmt.Sprint(err) != want {
			t.Errorf("%q read: %v, want %s", in, err, want)
		}
	}
}

func TestReadersErrorsComeThrough(t *testing.T) {
	broken := errors.New("connection reset")
	for _, in := range []string{"", " ", "[1,", `["a`, `["a\`, `[tr`, `[1`, `12`, `{}`, `{"a"`} {
		r := io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken))
		if _, err := Read(r, Limits{}); err != broken {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := Read(io.MultiReader(strings.NewReader("[1}"), iotest.ErrReader(broken)), Limits{}); fmt.Sprint(err) != "expected ',' or ']' but found '}' at byte 2" {
		t.Errorf("the mistake came first: %v", err)
	}

	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	fmt.Fprintf(w, "[%s1]", strings.Repeat("1234,", 100_000))
	w.Close()
	cut, err := gzip.NewReader(bytes.NewReader(z.Bytes()[:z.Len()/2]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = Read(cut, Limits{}); err != io.ErrUnexpectedEOF {
		t.Errorf("cut gzip: %v", err)
	}
	if _, err = Read(silent{}, Limits{}); err != io.ErrNoProgress {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

func TestStringAndTotalLimits(t *testing.T) {
	const in = `{"aaaaaaaaaa":"bbbbbbbbbb","c":12345678901234567890}`
	for _, window := range []int{1, 0} {
		for _, c := range []struct {
			limits Limits
			node   *Node
			want   string
		}{
			{Limits{String: 20}, wholeNode, "<nil>"},
			{Limits{String: 10}, nil, "<nil>"},
			{Limits{String: 9}, nil, "<nil>"},
			{Limits{String: 9}, wholeNode, "string longer than 9 bytes at byte 1"},
			{Limits{String: 10}, &Node{Fields: []Field{{"c", wholeNode}}}, "number longer than 10 bytes at byte 31"},
			{Limits{Total: int64(len(in))}, wholeNode, "<nil>"},
			{Limits{Total: int64(len(in)) - 1}, nil, "document longer than 51 bytes at byte 51"},
		} {
			d := small([]byte(in), window)
			d.Limits = c.limits
			_, err := d.Pass(t.Context(), 0, -1, nil, c.node, nil)
			if got := strings.Replace(fmt.Sprint(err), "string longer than 10 bytes at byte 31", "number longer than 10 bytes at byte 31", 1); got != c.want {
				t.Errorf("%+v: %v, want %s", c.limits, err, c.want)
			}
		}
		if _, err := readAll(strings.NewReader(in), Limits{Total: int64(len(in))}, window); err != nil {
			t.Error(err)
		}
		if _, err := readAll(strings.NewReader(in+strings.Repeat(" ", 1<<17)), Limits{Total: 1 << 16}, window); fmt.Sprint(err) != "document longer than 65536 bytes at byte 65536" {
			t.Error(err)
		}
		long := `"` + strings.Repeat("x", 1<<17) + `"`
		if _, err := readAll(strings.NewReader(long), Limits{String: 1 << 16}, window); fmt.Sprint(err) != "string longer than 65536 bytes at byte 0" {
			t.Error(err)
		}
	}
}

// repeated is a reader that returns head, n copies of body, and tail. The whole
// text is never in memory.
type repeated struct {
	head, body, tail string
	n                int64
}

func (r *repeated) Size() int64 { return int64(len(r.head)+len(r.tail)) + r.n*int64(len(r.body)) }

func (r *repeated) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) && off < r.Size() {
		part, at := r.body, (off-int64(len(r.head)))%int64(len(r.body))
		if off < int64(len(r.head)) {
			part, at = r.head, off
		} else if rest := r.Size() - off; rest <= int64(len(r.tail)) {
			part, at = r.tail, int64(len(r.tail))-rest
		}
		k := copy(b[n:], part[at:])
		n += k
		off += int64(k)
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}

// TestSkippingTakesNoMemory checks that skipping a value needs no memory,
// however large the value is.
func TestSkippingTakesNoMemory(t *testing.T) {
	for what, text := range map[string]*repeated{
		"a string of 64 MB":    {`{"long":"`, strings.Repeat("0123456789abcde ", 4096), `","n":7}`, 1 << 10},
		"a name of 64 MB":      {`{"long":[{"`, strings.Repeat("0123456789abcde ", 4096), `":1}],"n":7}`, 1 << 10},
		"a number of 64 MB":    {`{"long":1`, strings.Repeat("0123456789", 6554), `,"n":7}`, 1 << 10},
		"64 MB of white space": {`{"long":1,`, strings.Repeat("\n   ", 16384), `"n":7}`, 1 << 10},
		"many small values":    {`{"long":[`, strings.Repeat(`{"a":[1,"x\n",{}]} ,`, 3277), `0],"n":7}`, 1 << 8},
		"escapes":              {`{"long":"`, strings.Repeat(`\u00e9\n`, 4096), `","n":7}`, 1 << 9},
	} {
		d := &Document{Bytes: text}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := d.Pass(t.Context(), 0, -1, nil, &Node{Fields: []Field{{"n", wholeNode}}}, nil)
		runtime.ReadMemStats(&after)
		if fmt.Sprint(v, err) != "map[n:7] <nil>" {
			t.Errorf("%s: %v %v", what, v, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
			t.Errorf("%s took %d bytes", what, took)
		}
	}
}

// TestSkippingAllocatesNothing checks that the number of allocations doesn't
// depend on the number of skipped values.
func TestSkippingAllocatesNothing(t *testing.T) {
	_, d := realDump(t)
	names := &Node{Walk: true, Visit: 1, Fields: []Field{{"configs", &Node{Walk: true, Visit: 1, Elem: &Node{Walk: true, Visit: 1, Elem: &Node{Walk: true, Visit: 1, Elem: &Node{Walk: true, Visit: 1}}}}}}}
	visits := 0
	for way, n := range map[string]*Node{"skipped": nil, "walked through": names} {
		most := testing.AllocsPerRun(20, func() {
			if _, err := d.Pass(t.Context(), 0, -1, nil, n, func(int, any, int64, int64) error { visits++; return nil }); err != nil {
				t.Error(err)
			}
		})
		if most > 3 { // the function itself allocates once, and a new decoder is allocated after a garbage collection
			t.Errorf("%s: %v allocations", way, most)
		}
	}
	if visits < 1000 {
		t.Errorf("%d visits", visits)
	}
}

// TestLongStringsAreNotKept checks that a decoder that read a long string has
// its usual size again in the pool.
func TestLongStringsAreNotKept(t *testing.T) {
	d := newDecoder()
	d.open(strings.NewReader(`["`+strings.Repeat("x", 1<<21)+`\n"]`), 0, Limits{}, 0)
	if v, err := d.document(wholeNode, nil); err != nil || len(v.([]any)[0].(string)) != 1<<21+1 {
		t.Fatal(err)
	}
	d.release()
	if d.mem != nil || len(d.own) != windowSize+pad || d.clean != nil || len(d.vals) != 0 {
		t.Errorf("%d bytes of window, %d of text", len(d.mem), cap(d.clean))
	}
}

func TestNumbers(t *testing.T) {
	long := strings.Repeat("1234567890", 40)
	for in, want := range object.Of(
		"0", 0, "-1", -1, "42", 42, "2147483647", 2147483647,
		"-0", json.Number("-0"), "0.0", json.Number("0.0"), "1.10", json.Number("1.10"), "1e2", json.Number("1e2"), "1E400", json.Number("1E400"),
		"1234567890123456789", json.Number("1234567890123456789"), long, json.Number(long), "-"+long+".5", json.Number("-"+long+".5"),
	).All() {
		for _, window := range []int{1, 0} {
			if got, err := readAll(strings.NewReader(in), Limits{}, window); err != nil || got != want {
				t.Errorf("%s: %T %v, %v", in, got, got, err)
			}
		}
	}
	for in, size := range map[string]int{"999999999999999999": 64, "-999999999999999999": 64, "2147483648": 64, "-2147483649": 64, "-2147483648": 32} {
		v, _ := Read(strings.NewReader(in), Limits{})
		if _, ok := v.(int); ok != (size <= 32 || size <= intBits()) {
			t.Errorf("%s is a %T where an int has %d bits", in, v, intBits())
		}
	}
}

func intBits() int { return 32 << (^uint(0) >> 63) }

// TestRandomDocuments decodes random documents, both valid ones and ones in
// which some bytes were changed.
func TestRandomDocuments(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 400 {
		input := make([]byte, 200)
		for i := range input {
			input[i] = byte(r.Uint32())
		}
		c := choices(input)
		var text strings.Builder
		c.ordered(4).write(&text, &c)
		b := []byte(text.String())
		check(t, b)
		for range r.IntN(3) {
			const bytes = "{}[],:\"\\u0e1-+. \n\x00\xffnt"
			b[r.IntN(len(b))] = bytes[r.IntN(len(bytes))]
		}
		check(t, b)
		check(t, b[:r.IntN(len(b)+1)])
	}
}
