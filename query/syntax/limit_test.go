package syntax

import (
	"strings"
	"testing"
	"time"
)

// long lists queries that can be made arbitrarily long by repeating their middle. A query
// that Parse accepts must also pass Check. The error for a rejected query must have a
// position.
var long = []struct{ name, head, part, middle, tail string }{
	{"array", "", "[", "", "]"}, {"parentheses", "", "(", "1", ")"}, {"object", "", "{a:", "1", "}"}, {"object key", "", "{(", "1", "):1}"},
	{"index", "", ".[", "0", "]"}, {"call", "", "f(", "1", ")"}, {"method", "", ".f(", "1", ")"}, {"string", "", `"\(`, "1", `)"`},
	{"if", "", "if ", "1", " then 1 end"}, {"then", "", "if 1 then ", "1", " end"}, {"try", "", "try ", "1", ""}, {"unary", "", "-", "1", ""},
	{"reduce", "", "reduce ", "1", " as $x (1;1)"}, {"reduce body", "", "reduce 1 as $x (", "1", ";1)"}, {"pattern", ". as ", "[", "$x", "]"},
	{"pattern object", ". as ", "{a:", "$x", "}"}, {"metadata", `module {a:`, "[", "1", "]"}, {"definition", "", "def f: ", "1", "; 1"}, {"unclosed string", "", `"\(`, "", ""},
	{"pipe", ".", "|.", "", ""}, {"comma", ".", ",.", "", ""}, {"plus", "1", "+1", "", ""}, {"and", "1", " and 1", "", ""}, {"alternative", ".", "//.", "", ""},
	{"field", ".b", ".a", "", ""}, {"optional", ".", "?", "", ""}, {"iterate", ".", "[]", "", ""}, {"method chain", ".b", ".f()", "", ""}, {"label", "", "label $x|", ".", ""},
	{"definitions", "", "def f:1;", ".", ""}, {"binding", "", "1 as $x|", ".", ""}, {"members", "{", "a:1,", "}", ""}, {"elif", "if 1 then 1", " elif 1 then 1", " end", ""},
	{"alternatives", ". as $x", "?//$x", "|1", ""}, {"arguments", "f(1", ";1", ")", ""}, {"parts", `"`, `\(1)`, `"`, ""}, {"parameters", "def f(a", ";a", "): 1;", ""},
	{"white space", ".", " \n", "", ""}, {"comment", ".#", "# ", "", ""}, {"name", "", "a", "", ""}, {"digits", "", "1", "", ""}, {"text", `"`, `a\n日`, `"`, ""}, {"letters of no language", "", "é", "", ""},
	{"plus of plus", "1", "+(1", "", ")"}, {"unknown", ".", "|nosuch", "", ""}, {"unknown variables", ".", ",$x", "", ""},
}

func TestLongPrograms(t *testing.T) {
	for _, c := range long {
		for _, n := range []int{5_000, 110_000} {
			began := time.Now()
			program, err := Parse("", c.head+strings.Repeat(c.part, n)+c.middle+strings.Repeat(c.tail, n))
			if err == nil {
				if at, tall := tooTall(program.Query); tall {
					t.Errorf("%s: too tall at %v", c.name, at)
				}
				Check(program, given{"f/0": true, "f/1": true})
			} else if caret := err.(*Error).Caret(); len(caret) > 1_000 || strings.Count(caret, "\n") != 2 {
				t.Errorf("%s: %d bytes of error", c.name, len(caret))
			}
			// This query takes about 100 ms. With a quadratic parser it would take
			// minutes.
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%s × %d took %v", c.name, n, took)
			}
			if n == 5_000 && err != nil && !strings.Contains(err.Error(), "unexpected") && !strings.Contains(err.Error(), "unterminated") {
				t.Errorf("%s × %d: %v", c.name, n, err)
			}
		}
	}
}

func TestLimitsSayWhatTheyAre(t *testing.T) {
	for src, want := range map[string]string{
		strings.Repeat("[", 1_000_000):             "query:1:10001: nested too deeply, more than 10000 levels",
		"1" + strings.Repeat("+1", 200_000):        "too long a chain, more than 100000 steps",
		"[" + strings.Repeat("1,", 200_000) + "1]": "too long a chain, more than 100000 steps",
	} {
		_, err := Parse("", src)
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%.10s…: %v", src, err)
		}
	}
	for _, src := range []string{
		strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999),
		"[" + strings.Repeat("1,", 99_000) + "1]",
		strings.Repeat("def f: 1; ", 200_000) + "f",
	} {
		if _, err := Parse("", src); err != nil {
			t.Errorf("%.10s…: %v", src, err)
		}
	}
}
