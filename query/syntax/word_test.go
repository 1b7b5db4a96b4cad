package syntax

import (
	"slices"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	kinds := "sign name keyword variable field format number string start query end open"
	for src, want := range map[string]string{
		`.a|b`:               "field:a sign:| name:b",
		`$x.y . "z`:          `variable:$x field:y sign:. open:z`,
		`"a\(.b) c`:          `start:" string:a query:\( field:b sign:) open: c`,
		`"a\(f("x")) c" | .`: `start:" string:a query:\( name:f sign:( string:x sign:) sign:) string: c end:" sign:| sign:.`,
		`["\(1`:              `sign:[ start:" query:\( number:1`,
		`"a\n\`:              "open:a\n",
		`"a\u00`:             "open:a",
		`"a\q b`:             "open:a",
		`if @js`:             "keyword:if format:@js",
		"":                   "",
	} {
		var got []string
		words, commented := Words(src)
		for _, w := range words {
			got = append(got, strings.Fields(kinds)[w.Kind]+":"+w.Text)
		}
		if strings.Join(got, " ") != want || commented {
			t.Errorf("%s: %q, want %s", src, got, want)
		}
	}
	for src, want := range map[string]bool{"# a": true, ".a # b": true, "# a\n.b": false, ".a #b\n": false, "#": true, `"#`: false} {
		if _, got := Words(src); got != want {
			t.Errorf("%q ends in a comment: %v", src, got)
		}
	}
}

// FuzzWords checks that Words returns the same tokens as the parser for a valid source,
// with only white space and comments between them.
func FuzzWords(f *testing.F) {
	for _, src := range []string{`.a[0] | "x\("y\(1)")z" # c`, `{a: .b, "c\(1)": 2}`, `"`, `"\(`, `@json "\(.)"`, "\x00", `"\(")`} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		words, _ := Words(src)
		if !slices.IsSortedFunc(words, func(a, b Word) int { return a.Start - b.Start }) {
			t.Errorf("%q: not in order", src)
		}
		at := 0
		for _, w := range words {
			if w.Start < at || w.End < w.Start || w.End > len(src) {
				t.Fatalf("%q: %v behind %d", src, w, at)
			}
			at = w.End
		}
	})
}
