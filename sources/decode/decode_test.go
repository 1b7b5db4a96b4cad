package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// standard returns the value that encoding/json decodes, with numbers as this
// package represents them. Tests compare this package with it.
func standard(b []byte) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\uFEFF"))))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows")
	}
	return ints(object.FromPlain(v)), nil
}

// ints converts each integer of up to 18 digits in a value to an int.
func ints(v any) any {
	switch x := v.(type) {
	case json.Number:
		i, err := x.Int64()
		if err == nil && int64(int(i)) == i && x != "-0" && len(strings.TrimPrefix(x.String(), "-")) <= 18 {
			return int(i)
		}
	case *object.Object:
		for k := range x.All() {
			x.Set(k, ints(x.Get(k)))
		}
	case []any:
		for i := range x {
			x[i] = ints(x[i])
		}
	}
	return v
}

// small returns a document that is read through a small window, and whose values
// are hardly ever decoded whole.
func small(b []byte, window int) *Document {
	return &Document{Bytes: bytes.NewReader(b), Name: "test.json", window: window, small: 12}
}

// seeds are valid and invalid documents.
var seeds = []string{
	`{}`, `[]`, `{"a":[1,2,-3.5e+7,"x\u00e9\ud83d\ude00\n",null,true,false,{"b":{}}]}`, ` "a" `, `-0`, `[1,]`, `{"a":1,"a":2}`,
	`{"a":{"b":1},"a":{"c":2}}`, `"\ud800"`, `"\ud800\ud800\udc00x"`, `"\udc00\n"`, `"\ud800\u0041"`, `"\ud800xudc00"`, "\"\xff\"", "{\"\xff\":\"\xc3\"}", "\"\xed\xa0\x80\"",
	`12345678901234567890`, `123456789012345678`, `-123456789012345678`, `1234567890123456789`, `2147483648`, `-2147483649`,
	`[[[]]]`, `{"a" : [ 1 , 2 ] }`, "[\"a\\\x22\"]", "\"\x01\"", "\"\x00\"", "\x00", "[1\x00]", `tru`, `trux`, `nul`, `01`, `-01`, `1.`, `1e`, `1e+`, `-`, `+1`, `.5`, `1.e5`,
	`0.10`, `1e400`, `1E-7`, "\u00a0", "[1 2]", `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{1:2}`, `{a":1}`, `{'a':1}`, `[}`, `{]`, `[1}`, `{"a":1]`, "{\n  \"x\": {\n  \"y\": [\n  1,\n  2\n]}}",
	``, ` `, "\n\t\r ", "\uFEFF[1]", "\uFEFF", "[\uFEFF]", "\xef\xbb", "\xff\xfe[", `1 2`, `[]]`, `{}x`, `"a"b`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\`, `"\u`, `"abc`, "\"a\nb\"", "\"a\x7fb\"",
	`{"@type":"a","b_c":1}`, `["` + strings.Repeat("x", 200) + `\n",` + strings.Repeat(" ", 100) + `1]`, `{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":[[1,2,3],{"b":"cccccccccccccccccccccc"}]}`,
	strings.Repeat("[", 70) + strings.Repeat("]", 70), strings.Repeat(`{"a":[`, 66) + "1" + strings.Repeat("]}", 66), strings.Repeat(`[{"a":`, 33) + strings.Repeat("}]", 33),
}

// check compares the result of every way to decode b with that of
// encoding/json.
func check(t *testing.T, b []byte) {
	t.Helper()
	want, refused := standard(b)
	same := func(way string, got any, err error) {
		t.Helper()
		if (err == nil) != (refused == nil) {
			t.Fatalf("%s: %.200q: error %v, encoding/json's %v", way, b, err, refused)
		}
		if err == nil && !object.Equal(got, want) {
			t.Fatalf("%s: %.200q: %.300v, encoding/json has %.300v", way, b, got, want)
		}
	}
	accepted := func(way string, err error) {
		t.Helper()
		same(way, want, err)
	}

	got, err := Read(bytes.NewReader(b), Limits{})
	same("read", got, err)
	var twins *Twins // the first passes share no values; the later ones share a table
	for _, window := range []int{1, 7, 64, 64} {
		got, err = readAll(iotest.OneByteReader(bytes.NewReader(b)), Limits{}, window)
		same("byte by byte", got, err)
		got, err = readAll(iotest.DataErrReader(bytes.NewReader(b)), Limits{}, window)
		same("end with the last bytes", got, err)

		d := small(b, window)
		d.Twins = func() *Twins { return twins }
		for way, n := range map[string]*Node{"skipped": nil, "walked": {Walk: true}, "walked inside": {Walk: true, Fields: []Field{{"a", wholeNode}}, Elem: &Node{Walk: true, Fields: []Field{{"b", nil}}}}} {
			_, err = d.Pass(t.Context(), 0, -1, nil, n, nil)
			accepted(way, err)
		}
		for way, n := range map[string]*Node{"whole": {All: true}, "raw": {Raw: true}, "shallow": {Shallow: true}, "left open": {}} {
			v, err := d.Pass(t.Context(), 0, -1, nil, n, nil)
			if err == nil {
				v, err = mesh.Deep(t.Context(), v)
			}
			same(way, v, err)
			if err == nil {
				v, _ = d.Pass(t.Context(), 0, -1, nil, n, nil)
				same(way+", level by level", forceAll(t, v), nil)
			}
		}
		if window == 7 {
			twins = roomy()
		}
	}
}

// forceAll decodes a value and everything inside it, and checks the length of each
// container.
func forceAll(t *testing.T, v any) any {
	t.Helper()
	if l, ok := v.(*Value); ok {
		n, err := l.Len(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if v, err = l.Force(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again, ok := l.Forced(); !ok || !mesh.Identical(v, again) {
			t.Fatal("what was forced is not kept")
		}
		if m, err := l.Len(t.Context()); err != nil || m != n {
			t.Fatalf("length %d, forced %d, %v", n, m, err)
		}
	}
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = forceAll(t, x[i])
		}
		return out
	case *object.Object:
		out := object.New(x.Len())
		for k := range x.All() {
			out.Set(k, forceAll(t, x.Get(k)))
		}
		return out
	}
	return v
}

func FuzzDecode(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { check(t, b) })
}
