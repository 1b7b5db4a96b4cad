package syntax

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with the content of the file testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", path, got)
	}
}

// rejected lists sources that neither this parser nor gojq accepts.
var rejected = []string{
	// These queries contain invalid method calls.
	`..f(1)`, `.a.if(1)`, `.and(1)`, `f()`, `.a.f(;)`, `.a.f(1;)`, `.a.f(1; 2`, `.a."f"(1)`, `.a["f"](1)`, `.a.(1)`, `{a.f(1)}`, `{.f(1)}`,
	`{$x.f(1)}`, `{a: .f(1) as $x | $x}`, `def .f(x): 1; .`, `. as .f(1) | .`, `1.f(.x)`, `12.and`, `$x(1)`, `(.a)(1)`, `.a.f(1)(2)`,
	// These queries use the syntax of other languages.
	`.a && .b`, `.a & .b`, `.a || .b`, `.a | | .b`, `!.a`, `.a | select(!.b)`, `.a === 1`, `.a !== 1`, `.proxies[] | select(.name == 'reviews') | .rds`,
	`.a == 'x`, `.a == “x”`, `if .a then .b else if .c then .d else .e end`, `def f(x, y): x; f(1; 2)`, `def if: 1; .`,
	`.foo-$`, `@ "x"`, `import "a" as a; .a | import "b" as b; .`,
	// In these queries a token is missing or superfluous.
	`.a .b c`, `.a 1`, `"a" "b"`, `.a "b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3"`, `.a == .b == .c`, `.a = .b |= .c`, `.a |`, `.a | .b,`, `(.a | [.b`, `[.a`, `{a: 1`, `{a: (1}`, `{a: 1 b: 2}`,
	`{1: 2}`, `{a`, `.a)`, `.a]`, `.a | .b end`, `.a catch .b`, `if .a then .b`, `if .a .b end`, `if .a then .b)`, `.a[1`, `.a[1:`, `.a[`, `.a.`, `reduce .[] as $x (0)`, `reduce .[] as $x (0; . + $x`, `reduce .[] $x (0; .)`,
	`foreach .[] as [$x (0; .)`, `try`, `label out | 1`, `break`, `. as x | x`, `. as {a} | 1`, `. as [$a] ? [$b] | 1`, `def f: 1`, `def f 1; 2`, `def f: 1 2; 3`, `import a as a; .`,
	`import "a" a; .`, `import "a\(1)" as a; .`, `include "a"`, `module 1; .`, `module {a: .b}; .`, `{a: 1} as {$a:} | 1`, "\ufeff.a", ".a\u00a0| .b", `.é`, `def f(x 1): 2; 3`, `module {a: 1 b: 2}; .`, `. as [$a, $b {$c}] | 1`, `. as {a: $x | 1`, `.a | ~`,
	// These queries contain invalid strings and numbers.
	`"abc`, `"abc\(.x) de`, `"abc\(.x`, `"abc\(.x} de"`, `"a\qb"`, `"a\u12x4"`, `1.2.3`, `1e`, `1ex`, `.5.x`, `"a` + "\n" + `b" "`,
	// These queries test that the error has the correct position.
	"# status\n.proxies[]\n  | select(.rds == \"STALE\") |\n  .name .cds sync", "\t.a\t|\t)\t.b", `"日本語" | "🙂é" )`, ".a |\r\n.b )\r\n.c", ".a\x1b[31m )", "\"e\u0301\xff\" )", "(.a\n| .b # no end\n\n",
	strings.Repeat(".proxies[] | ", 30) + ") " + strings.Repeat("| .name", 30),
	`"` + strings.Repeat("日本", 40) + `" ) | "` + strings.Repeat("語", 60) + `"`,
	`"` + strings.Repeat("long and ", 30),
	strings.Repeat("[", 200_000),
}

func TestRejectedForms(t *testing.T) {
	var b strings.Builder
	for _, src := range rejected {
		_, err := Parse("", src)
		if err == nil {
			t.Errorf("%q is accepted", src)
			continue
		}
		b.WriteString(err.(*Error).Caret() + "\n\n")
	}
	golden(t, "rejected.golden", b.String())
}
