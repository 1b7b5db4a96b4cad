package printers

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// poison has one of each kind of what may not get out.
const poison = "a\x1b[31mE\x1b]0;T\x07\u009b41m\u202eB\u2067I\x00N\rC\bR\x7f\nFAKE\u2028\u200e\u061c\ufeff\U000e0041z"

// TestUnsafeIsWhatActs holds the line between what acts and what is text.
func TestUnsafeIsWhatActs(t *testing.T) {
	for _, r := range "\x00\a\b\t\n\r\x1b\x1f\x7f\u0080\u0085\u009b\u009f\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff\ufff9\U000e0001" {
		if !unsafe(r) {
			t.Errorf("%U is not unsafe", r)
		}
	}
	for _, r := range " ~\u00a0éß日\u200c\u200d\u0600🙂\ufffd…│" {
		if unsafe(r) {
			t.Errorf("%U is unsafe", r)
		}
	}
}

// TestNothingUnsafeIsPrinted prints a poisoned object in every format: nothing
// unsafe is in the text but what the format puts there, and no value begins a
// line.
func TestNothingUnsafeIsPrinted(t *testing.T) {
	v := object.Of(
		"kind", "Cluster", "name", poison, poison, poison, "labels", object.Of(poison, poison), "list", []any{poison, object.Of("x", poison)},
		"apiVersion", "v1", "metadata", object.Of("name", poison, "namespace", poison, "labels", object.Of(poison, poison)),
	)
	ours := object.Of("kind", "Proxy", "id", poison, "name", poison, "version", poison, "labels", object.Of(poison, poison))
	for _, o := range []Options{
		{}, {Compact: true}, {Tab: true}, {ASCII: true}, {Seq: true}, {Format: "table"}, {Format: "wide"}, {Format: "name"}, {Format: "json"}, {Format: "yaml"}, {Format: "kyaml"},
		{Format: "jsonpath={.name}{\"\\n\"}{.labels}{\"\\n\"}{.list[*]}"}, {Format: "jsonpath-as-json={.name}"}, {Format: "jsonpath={range .list[*]}{@}{\"\\n\"}{end}"},
		{Format: "go-template={{.name}}{{range $k, $v := .labels}}{{$k}}={{$v}}{{end}}{{.}}\n"},
		{Format: "custom-columns=A:.name,B:.labels,C:.list"}, {ShowLabels: true, ShowKind: true}, {Format: "wide", ShowLabels: true, Color: true}, {Color: true},
	} {
		for _, values := range [][]any{{v}, {ours}, {v, v}, {poison}, {[]any{ours, ours}}, {ours, v, poison}} {
			printed, err := try(o, values...)
			if err != nil {
				continue // -o name of what has no kind
			}
			for _, sequence := range []string{"\n", "\x1b[31m", "\x1b[0m", "\x1b[0;39m", "\x1b[0;32m", "\x1b[1;39m", "\x1b[34;1m", "\x1b[1;34m", "\x1b[0;90m", "\x1b[32m", "\x1b[39m", "\x1b[90m", "\x1e"} {
				if o.Color || sequence == "\n" || o.Seq && sequence == "\x1e" {
					printed = strings.ReplaceAll(printed, sequence, "")
				}
			}
			if at := strings.IndexFunc(printed, func(r rune) bool { return unsafe(r) && (r != '\t' || !o.Tab) }); at >= 0 || !utf8.ValidString(printed) {
				t.Errorf("%+v: unsafe at %d: %.200q", o, at, printed[max(0, at):])
			}
		}
		printed, _ := try(o, v)
		for _, line := range strings.Split(printed, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "FAKE") {
				t.Errorf("%+v: a forged line: %q", o, printed)
			}
		}
	}
}

// TestSafeWriter gives it text in pieces of every size: what gets through
// doesn't hang on where it was cut.
func TestSafeWriter(t *testing.T) {
	colors, marks := Passing{Colors: true}, Passing{Marks: "\x1e"}
	for _, c := range []struct {
		passes    Passing
		text, out string
	}{
		{Passing{}, "plain\ttext\nin lines\n", "plain\ttext\nin lines\n"},
		{Passing{}, "é日🙂\u200d", "é日🙂\u200d"},
		{Passing{}, "\x1b[31mred\x1b[0m", `\u001b[31mred\u001b[0m`},
		{colors, "\x1b[31mred\x1b[0m\x1b[K", "\x1b[31mred\x1b[0m\x1b[K"},
		{colors, "\x1b[2Ja\x1b[2Kb\x1b]0;t\x07\x1b\x1b[1;3", `\u001b[2Ja\u001b[2Kb\u001b]0;t\u0007\u001b\u001b[1;3`},
		{colors, "\x1b[" + strings.Repeat("1", 100) + "m", `\u001b[` + strings.Repeat("1", 100) + "m"},
		{Passing{}, "a\r\nb\rc\r", "a\nb\\rc\\r"},
		{Passing{}, "\u009b\u202e\u2066\x7f\x00\b\f", `\u009b\u202e\u2066\u007f\u0000\b\f`},
		{Passing{}, "\U000e0041", `\udb40\udc41`},
		{Passing{}, "a\x9bb\xe2\x80", "a\ufffdb\ufffd\ufffd"},
		{marks, "\x1e1\n\x00", "\x1e1\n\\u0000"},
		{Passing{All: true}, poison + "\xff", poison + "\xff"},
	} {
		for size := 1; size <= len(c.text); size++ {
			var b strings.Builder
			w := NewSafeWriter(&b)
			w.Pass(c.passes)
			for rest := c.text; rest != ""; {
				n := min(size, len(rest))
				if written, err := w.Write([]byte(rest[:n])); written != n || err != nil {
					t.Fatal(written, err)
				}
				rest = rest[n:]
			}
			if err := w.Flush(); err != nil || b.String() != c.out {
				t.Fatalf("%q in pieces of %d: %q %v, want %q", c.text, size, b.String(), err, c.out)
			}
		}
	}
}

// FuzzSafeWriter holds that nothing unsafe gets through, that what is safe is
// not changed, and that JSON stays the same value.
func FuzzSafeWriter(f *testing.F) {
	for _, s := range []string{poison, "plain", "\xff\xfe", "\r\n\r", "\x1b[31m", "é\u200d日"} {
		f.Add(s, 3, true)
	}
	f.Fuzz(func(t *testing.T, text string, size int, colors bool) {
		var b strings.Builder
		w := NewSafeWriter(&b)
		w.Pass(Passing{Colors: colors})
		for rest := text; rest != ""; {
			n := min(max(size, 1), len(rest))
			w.Write([]byte(rest[:n]))
			rest = rest[n:]
		}
		w.Flush()
		out := b.String()
		if colors {
			for at := strings.IndexByte(out, 0x1b); at >= 0; at = strings.IndexByte(out, 0x1b) {
				n, whole := color([]byte(out[at:]))
				if n == 0 || !whole {
					t.Fatalf("%q: %q", text, b.String())
				}
				out = out[:at] + out[at+n:]
			}
		}
		if strings.ContainsFunc(out, func(r rune) bool { return unsafe(r) && r != '\n' && r != '\t' }) || !utf8.ValidString(out) {
			t.Fatalf("%q: %q", text, out)
		}
		if IsLegible(text) && out != text {
			t.Fatalf("%q became %q", text, out)
		}
		if got := Legible(text); !IsLegible(got) {
			t.Fatalf("%q: %q is not legible", text, got)
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := object.Unmarshal([]byte(safelyWritten(t, string(encoded))), &back); err != nil || back != strings.ToValidUTF8(text, "\ufffd") && utf8.ValidString(text) {
			t.Fatalf("%q: %q %v", text, back, err)
		}
	})
}

// BenchmarkSafeWriter measures SafeWriter on JSON and on text that isn't ASCII.
func BenchmarkSafeWriter(b *testing.B) {
	for name, text := range map[string]string{"JSON": `{"name": "outbound|9080||reviews.default.svc.cluster.local", "port": 9080}` + "\n", "Japanese": "\"日本語のテキスト\"\n"} {
		piece := []byte(strings.Repeat(text, 1<<16/len(text)))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(piece)))
			w := NewSafeWriter(io.Discard)
			for b.Loop() {
				if _, err := w.Write(piece); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
