package syntax

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
)

// equivalences lists queries with method calls, each with a query of the same meaning in
// plain jq. The test runs both on the same document.
var equivalences = []struct{ method, plain string }{
	{`.a.f(1)`, `(.a | f(1))`},
	{`.f(1)`, `f(1)`},
	{`.f()`, `f`},
	{`.a.f()`, `(.a | f)`},
	{`.a.f( )`, `(.a | f)`},
	{`. .f(1)`, `f(1)`},
	{`.a .f (1)`, `(.a | f(1))`},
	{".a # comment\n  .f # more\n (1)", `(.a | f(1))`},
	{`.a.f(1).g("x")`, `(.a | f(1) | g("x"))`},
	{`.a.f(1).b.c`, `((.a | f(1)) | .b | .c)`},
	{`.l.g(1)[0]?`, `((.l | g(1)) | .[0]?)`},
	{`.a.f(1).r[]?`, `((.a | f(1)) | .r[]?)`},
	{`.a.f(1)["r"]`, `((.a | f(1)) | .["r"])`},
	{`.a.f(1)."r"`, `((.a | f(1)) | .r)`},
	{`.a.f(1).l[1:]`, `((.a | f(1)) | .l[1:])`},
	{`.l[0].f(.)`, `(.l[0] | f(.))`},
	{`.l[].f(.)`, `(.l[] | f(.))`},
	{`[.l[].f(.)?]`, `[.l[] | f(.)?]`},
	{`[.l[].e(2)?]`, `[.l[] | e(2)?]`}, // an error in one element doesn't end the iteration
	{`[.l[].e(2)?.k()]`, `[.l[] | e(2)? | k]`},
	{`.l[]?.f(1)`, `(.l[]? | f(1))`},
	{`.a?.f(1)`, `(.a? | f(1))`},
	{`.a.f(1)?.r`, `((.a | (f(1)?)) | .r)`},
	{`.a.f(1)??`, `(.a | f(1))`},
	{`.a.f(1)?//2`, `((.a | f(1)?) // 2)`},
	{`[.e(.)?] + [.l.e(.)?]`, `[e(.)?] + [(.l | e(.))?]`},
	{`[...f(1)]`, `[.. | f(1)]`},
	{`[.. .f(1)]`, `[.. | f(1)]`},
	{`"abc".f(1)`, `("abc" | f(1))`},
	{`"a\(.n.f(1).r)c".f(2)`, `("a\(.n | f(1) | .r)c" | f(2))`},
	{`@base64 "x\(.n.f(1).r)".f(2)`, `(@base64 "x\(.n | f(1) | .r)" | f(2))`},
	{`@json.f(1)`, `(@json | f(1))`},
	{`[1,2].f(3)`, `([1,2] | f(3))`},
	{`{a:1}.f(.a)`, `({a:1} | f(.a))`},
	{`{a: .n.f(1), b: .f(2)}`, `{a: (.n | f(1)), b: f(2)}`},
	{`{a: .n.f(1) | .r, b: 2}`, `{a: (.n | f(1) | .r), b: 2}`},
	{`{(.s.f(1).v|tostring): 1}`, `{(.s | f(1) | .v | tostring): 1}`},
	{`{"k\(.n.f(1).r)": 2}`, `{"k\(.n | f(1) | .r)": 2}`},
	{`(.n,.s).f(1)`, `((.n,.s) | f(1))`},
	{`-.n.neg()`, `-(.n | neg)`},
	{`1 + .n.neg() * 2`, `1 + ((.n | neg) * 2)`},
	{`.n.neg() + 1`, `((.n | neg) + 1)`},
	{`.n.f(1) as $x | $x.r`, `(.n | f(1)) as $x | $x.r`},
	{`.n.f(1) as {r: $r} | $r.f(2)`, `(.n | f(1)) as {r: $r} | ($r | f(2))`},
	{`. as {(.s.same()): $q, n: $n} | [$q, $n]`, `. as {(.s | same): $q, n: $n} | [$q, $n]`},
	{`. as [$a] ?// {n: $a} | $a.f(1)`, `. as [$a] ?// {n: $a} | ($a | f(1))`},
	{`$ENV.f(1)`, `($ENV | f(1))`},
	{`reduce .l[].f(1).v as $v (0 .k(); .+$v.k())`, `reduce (.l[] | f(1) | .v) as $v ((0|k); .+($v|k))`},
	{`foreach .l[].f(1).v as $v (0; .+$v; .f($v))`, `foreach (.l[] | f(1) | .v) as $v (0; .+$v; f($v))`},
	{`if .n.pos() then .n.f(1) elif .f(2) then 3 else .s.f(4) end`, `if (.n | pos) then (.n | f(1)) elif f(2) then 3 else (.s | f(4)) end`},
	{`if .n.pos() then 1 else 2 end.f(3)`, `(if (.n|pos) then 1 else 2 end | f(3))`},
	{`try .l.e(.) catch .f(2)`, `try (.l | e(.)) catch f(2)`},
	{`try error("x").f(1) catch .f(2)`, `try (error("x") | f(1)) catch f(2)`},
	{`def h(x): .o.f(x).v; h(.i), h(1)`, `def h(x): .o | f(x) | .v; h(.i), h(1)`},
	{`def h($x; $y): .f($x).f($y); .n.h(1; .+1)`, `def h($x; $y): f($x) | f($y); .n | h(1; .+1)`},
	{`.n.two(1,2; 3,4)`, `(.n | two(1,2; 3,4))`},
	{`.l.map(.+1)`, `(.l | map(.+1))`},
	{`.l.map(.f(.).v).add()`, `(.l | map(f(.) | .v) | add)`},
	{`.l.length()`, `(.l | length)`},
	{`[.l[].tostring()].join("-")`, `([.l[] | tostring] | join("-"))`},
	{`.l.f(def t: .+1; .[0].t())`, `(.l | f(def t: .+1; .[0] | t))`},
	{`label $out | .l[].f(1) | ., break $out`, `label $out | (.l[] | f(1)) | ., break $out`},
	{`first(.l[].f(1))`, `first(.l[] | f(1))`},
	{`.l[.n.neg():]`, `.l[(.n|neg):]`},
	{`.l[.o.zero():.n.k()]`, `.l[(.o|zero):(.n|k)]`},
	{`.l[.o.zero()].f(1)`, `(.l[(.o|zero)] | f(1))`},
	{`path(.o.inner(1).p)`, `path(.o | inner(1) | .p)`},
	{`.o.inner(1).p |= 5`, `(.o | inner(1) | .p) |= 5`},
	{`del(.o.inner(1))`, `del(.o | inner(1))`},
	{`.o.inner(1).p += .n.k()`, `(.o | inner(1) | .p) += (.n | k)`},
	{`.n.f(1), .s.f(2) | .v`, `((.n | f(1)), (.s | f(2))) | .v`},
	{`.m.f(1).m.f(2)`, `((.m | f(1)) | .m | f(2))`},
	{`.a.f(.x.f(.|f(1)))`, `(.a | f(.x | f(.|f(1))))`},
}

const definitions = `def f: {z: .}; def f(x): {r: ., v: x}; def g(x): [., x]; def neg: -.; def pos: . > 0; def k: . * 1;
def e(x): if . == x then error("boom") else . end; def two(a; b): [., a, b]; def zero: 0; def inner(x): .i; def same: .; `

const document = `{"a":{"x":1},"b":"B","c":null,"n":2,"s":"str","str":3,"l":[1,2,3],"o":{"i":{"p":7}},"m":{"m":1}}`

// results runs a query on the document and returns the results and errors as a text.
func results(t *testing.T, q *gojq.Query) string {
	t.Helper()
	var in any
	if err := json.Unmarshal([]byte(document), &in); err != nil {
		t.Fatal(err)
	}
	code, err := gojq.Compile(q)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for it := code.Run(in); ; {
		v, ok := it.Next()
		if !ok {
			return b.String()
		}
		if err, ok := v.(error); ok {
			return b.String() + "error: " + err.Error()
		}
		bs, err := gojq.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(bs, '\n'))
	}
}

func TestMethodsMeanWhatTheirExpansionMeans(t *testing.T) {
	for _, c := range equivalences {
		t.Run(c.method, func(t *testing.T) {
			program, err := Parse("", definitions+c.method)
			if err != nil {
				t.Fatal(err)
			}
			if methods(program.Query) == 0 {
				t.Error("no method call in it")
			}
			plain, err := gojq.Parse(definitions + c.plain)
			if err != nil {
				t.Fatal(err)
			}
			got, want := results(t, converted(program.Query)), results(t, plain)
			if got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			if want == "" || strings.HasPrefix(want, "error") {
				t.Errorf("%s gives only %q: a case that shows nothing", c.plain, want)
			}
		})
	}
}

func TestMethodIsMarked(t *testing.T) {
	program, err := Parse("", `f(1) | .f(1) | .a.f(1)`)
	if err != nil {
		t.Fatal(err)
	}
	var marks []bool
	everyNode(program.Query, func(n node) {
		if f, ok := n.(*Func); ok {
			marks = append(marks, f.Method)
		}
	})
	if len(marks) != 3 || marks[0] || !marks[1] || !marks[2] {
		t.Errorf("Method is %v", marks)
	}
}
