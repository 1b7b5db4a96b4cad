package safe

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// unsafeText contains a character of each unsafe kind.
const unsafeText = "a\x1b[31mE\x1b]0;T\x07\u009b41m\u202eB\u2067I\x00N\rC\bR\x7f\nFAKE\u2028\u200e\u061c\ufeff\U000e0041z"

// TestIsUnsafe checks unsafe characters and their safe neighbours in Unicode.
func TestIsUnsafe(t *testing.T) {
	for _, r := range "\x00\a\b\t\n\r\x1b\x1f\x7f\u0080\u0085\u009b\u009f\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff\ufff9\U000e0001" {
		if !IsUnsafe(r) {
			t.Errorf("%U is not unsafe", r)
		}
	}
	for _, r := range " ~\u00a0éß日\u200c\u200d\u0600🙂\ufffd…│" {
		if IsUnsafe(r) {
			t.Errorf("%U is unsafe", r)
		}
	}
}

// TestWriterIgnoresHowTextIsCut writes texts in pieces of every size. The
// output must not depend on the size.
func TestWriterIgnoresHowTextIsCut(t *testing.T) {
	colors, marks := Allowed{Colors: true}, Allowed{Marks: "\x1e"}
	for _, c := range []struct {
		passes    Allowed
		text, out string
	}{
		{Allowed{}, "plain\ttext\nin lines\n", "plain\ttext\nin lines\n"},
		{Allowed{}, "é日🙂\u200d", "é日🙂\u200d"},
		{Allowed{}, "\x1b[31mred\x1b[0m", `\u001b[31mred\u001b[0m`},
		{colors, "\x1b[31mred\x1b[0m\x1b[K", "\x1b[31mred\x1b[0m\x1b[K"},
		{colors, "\x1b[2Ja\x1b[2Kb\x1b]0;t\x07\x1b\x1b[1;3", `\u001b[2Ja\u001b[2Kb\u001b]0;t\u0007\u001b\u001b[1;3`},
		{colors, "\x1b[" + strings.Repeat("1", 100) + "m", `\u001b[` + strings.Repeat("1", 100) + "m"},
		{Allowed{}, "a\r\nb\rc\r", "a\nb\\rc\\r"},
		{Allowed{}, "\u009b\u202e\u2066\x7f\x00\b\f", `\u009b\u202e\u2066\u007f\u0000\b\f`},
		{Allowed{}, "\U000e0041", `\udb40\udc41`},
		{Allowed{}, "a\x9bb\xe2\x80", "a\ufffdb\ufffd\ufffd"},
		{marks, "\x1e1\n\x00", "\x1e1\n\\u0000"},
		{Allowed{All: true}, unsafeText + "\xff", unsafeText + "\xff"},
	} {
		for size := 1; size <= len(c.text); size++ {
			var b strings.Builder
			w := NewWriter(&b)
			w.Allow(c.passes)
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

// FuzzWriter checks that the output contains nothing unsafe, that safe text
// stays unchanged, and that JSON keeps its value.
func FuzzWriter(f *testing.F) {
	for _, s := range []string{unsafeText, "plain", "\xff\xfe", "\r\n\r", "\x1b[31m", "é\u200d日"} {
		f.Add(s, 3, true)
	}
	f.Fuzz(func(t *testing.T, text string, size int, colors bool) {
		var b strings.Builder
		w := NewWriter(&b)
		w.Allow(Allowed{Colors: colors})
		for rest := text; rest != ""; {
			n := min(max(size, 1), len(rest))
			w.Write([]byte(rest[:n]))
			rest = rest[n:]
		}
		w.Flush()
		out := b.String()
		if colors {
			for at := strings.IndexByte(out, 0x1b); at >= 0; at = strings.IndexByte(out, 0x1b) {
				n, whole := colorLength([]byte(out[at:]))
				if n == 0 || !whole {
					t.Fatalf("%q: %q", text, b.String())
				}
				out = out[:at] + out[at+n:]
			}
		}
		if strings.ContainsFunc(out, func(r rune) bool { return IsUnsafe(r) && r != '\n' && r != '\t' }) || !utf8.ValidString(out) {
			t.Fatalf("%q: %q", text, out)
		}
		if IsLine(text) && out != text {
			t.Fatalf("%q became %q", text, out)
		}
		if got := Line(text); !IsLine(got) {
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

// BenchmarkWriter measures a Writer on JSON and on text that isn't ASCII.
func BenchmarkWriter(b *testing.B) {
	for name, text := range map[string]string{"JSON": `{"name": "outbound|9080||reviews.default.svc.cluster.local", "port": 9080}` + "\n", "Japanese": "\"日本語のテキスト\"\n"} {
		piece := []byte(strings.Repeat(text, 1<<16/len(text)))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(piece)))
			w := NewWriter(io.Discard)
			for b.Loop() {
				if _, err := w.Write(piece); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// safelyWritten returns the output of a Writer for a text.
func safelyWritten(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	w := NewWriter(&b)
	w.Allow(Allowed{Colors: true, Marks: "\x1e"})
	_, err := io.WriteString(w, text)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
