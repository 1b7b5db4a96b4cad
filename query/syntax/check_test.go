package syntax

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
)

// given is a set of names that a query can use: functions as "name/arity", and variables
// as "$name".
type given map[string]bool

func (g given) Has(key string) bool  { return g[key] }
func (g given) Var(name string) bool { return g[name] }
func (g given) Keys() []string {
	return slices.DeleteFunc(slices.Collect(maps.Keys(g)), func(k string) bool { return k[0] == '$' })
}

func (g given) Vars() []string {
	return slices.DeleteFunc(slices.Collect(maps.Keys(g)), func(k string) bool { return k[0] != '$' })
}

// gojqNames returns the names of gojq's own functions, together with the names in more.
func gojqNames(t testing.TB, more ...string) given {
	t.Helper()
	q, err := gojq.Parse("builtins[]")
	if err != nil {
		t.Fatal(err)
	}
	g := given{}
	for it := q.Run(nil); ; {
		v, ok := it.Next()
		if !ok {
			break
		}
		g[v.(string)] = true
	}
	for _, name := range more {
		g[name] = true
	}
	return g
}

// gojqUndefined returns gojq's error about an undefined name. It returns "" if all names
// are defined.
func gojqUndefined(q *Query) string {
	nothing := func(v any, _ []any) any { return v }
	_, err := gojq.Compile(converted(q), gojq.WithInputIter(gojq.NewIter[any]()), gojq.WithFunction("debug", 0, 0, nothing),
		gojq.WithFunction("stderr", 0, 0, nothing), gojq.WithFunction("input_filename", 0, 0, nothing))
	if err != nil && strings.Contains(err.Error(), "not defined") {
		return err.Error()
	}
	return ""
}

// sameNames compares the errors of Check with those of gojq's compiler. gojq stops at the
// first undefined name, so the errors of Check must include that name.
func sameNames(t *testing.T, src string, names Names) (checked, unknown bool) {
	t.Helper()
	program, err := Parse("", src)
	if err != nil || len(program.Query.Imports) > 0 || program.Query.Term == nil && program.Query.Op == 0 || strings.Contains(src, "$__loc__") {
		return false, false
	}
	errs := Check(program, names)
	theirs := gojqUndefined(program.Query)
	if (theirs == "") != (len(errs) == 0) {
		t.Errorf("%q: gojq says %q, we say %v", src, theirs, errs)
		return true, true
	}
	if theirs == "" || len(errs) == maxErrors {
		return true, theirs != ""
	}
	_, name, _ := strings.Cut(theirs, ": ")
	name, _, _ = strings.Cut(name, "/")
	if !slices.ContainsFunc(errs, func(e *Error) bool { return strings.HasSuffix(src[:e.End], name) }) {
		t.Errorf("%q: gojq says %q, we say %v", src, theirs, errs)
	}
	return true, true
}

// scopes lists queries that use names at unusual positions inside their scope, or just
// outside of it.
var scopes = []string{
	`. as {($b | tostring): $a} ?// [$b] | $a`, `. as [$b] ?// {($a | tostring): $a} | $b`, `. as {($b | tostring): $a} | $a`, `. as {a: $b, ($b): $a} | $a`, `. as {($a): $a} | $a`,
	`reduce .[] as {($b): $a} ?// $b ($b; $a)`, `reduce .[] as $b (0; $b) | $b`, `foreach .[] as $b (0; $b; $b) | $b`, `[1 as $x | $x] | $x`, `{a: (1 as $x | $x), b: $x}`, `if (1 as $x | $x) then $x else 1 end`,
	`(def f: 1; f) | f`, `[def f: 1; f, f], f`, `1, def f: 1; f, f`, `def f(a; $b): a, b, $b; f(1; 2), a`, `def f(a): def g: a; g; f(1)`, `def f(a): a(1); f(1)`, `label $x | [break $x], break $x`, `[label $x | 1] | break $x`,
	`"\(1 as $x | $x)\($x)"`, `.[1 as $x | $x] | $x`, `try (1 as $x | $x) catch $x`, `-(1 as $x | $x) + $x`, `f(def f: 1; f)`, `def f: 1; def f(x): f + x; f(f)`, `$ENV.PATH, env.PATH`, `$env`,
}

func TestCheckAgreesWithGojqsCompiler(t *testing.T) {
	names := gojqNames(t, "debug/0", "stderr/0", "input_filename/0")
	checked, unknown := 0, 0
	count := func(src string) {
		c, u := sameNames(t, src, names)
		if c {
			checked++
		}
		if u {
			unknown++
		}
	}
	for _, src := range slices.Concat(scopes, sources(t)) {
		count(src)
	}
	if checked < 700 || unknown < 50 {
		t.Errorf("only %d checked, %d with unknown names", checked, unknown)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 3_000 {
		count(cook(r, sources(t)))
	}
	t.Logf("%d checked, %d with unknown names", checked, unknown)
}

// unknowns lists queries that use undefined names.
var unknowns = []string{
	".proxies[]\n | select(.rds == \"STALE\").clustr(\"x\")\n | .nmae | lenght + $foo",
	`.cluster("a"; "b")`, `cluster`, `.length(1)`, `range(1; 2; 3; 4)`, `sub("a", "b")`, `splits`, `nosuch(1; 2)`,
	`.name == reviews`, `.metadata.app-name`, `.a-b-c | .x`, `.a - nosuch`, `.proxies | nosuch`, `.proxies.nosuch()`, `zzzzzzzzzzzzzzz`, `x`,
	`Select(.a)`, `tonubmer`, `to_entires`, `.proxies[] | sletc(.rds)`,
	`def stale: .rds == "STALE"; .proxies[] | select(stlae)`, `def f(g): g(1); f(.)`, `def f(item): itme; f(.)`, `def f($value): $vlaue + valeu; f(1)`, `def f: g; def g: 1; f`, `def f: def h: 1; h; h`,
	`. as {name: $n, $port} | "\($n):\($prot)"`, `. as [$a] ?// {$b} | $a, $b, $c`, `reduce .[] as $item ($itm; . + $item)`, `foreach .[] as $x (0; .; $y)`, `.[] as $x | 1, ($x | $y)`, `($x as $x | $x)`,
	`{$nope, a: $nope2, ($k): 1, "\($s)": 2}`, `.[$i:$j]`, `."\($f)"`, `@base64 "x\(nosuchfield)"`, `ns`, `.namespace == $namspace`, `$EVN`, `$__lco__`,
	`label $out | .[] | break $uot`, `label $a | def f: break $a; f, break $b`, `(label $a | 1), break $a`, `break $x`,
	`m::f(1)`, `$m::x`, `_modify(.a; 1)`, `if nope1 then nope2 elif nope3 then nope4 else nope5 end`, `try nope1 catch nope2`, `-nope1 + [nope2]`,
	`a1 | a2 | a3 | a4 | a5 | a6 | a7 | a8 | a9 | a10 | a11 | a12`,
	`"日本語" | nosuch("🙂") | .a`,
}

func TestUnknownNames(t *testing.T) {
	names := gojqNames(t, "cluster/1", "proxy/1", "$ns", "$namespace")
	var b strings.Builder
	for _, src := range unknowns {
		program, err := Parse("", src)
		if err != nil {
			t.Fatal(err)
		}
		errs := Check(program, names)
		if len(errs) == 0 {
			t.Errorf("%q: every name is known", src)
		}
		for _, e := range errs {
			b.WriteString(e.Caret() + "\n")
		}
		b.WriteString("\n")
	}
	golden(t, "unknown.golden", b.String())
}

func TestKnownNames(t *testing.T) {
	names := gojqNames(t, "cluster/1", "m::f/1", "m::g/0", "inc/0", "$ns", "$n::n")
	for _, src := range []string{
		``, `def f: 1; def g: f;`, `.`, `$ENV, env, $__loc__, {$__loc__}`, `$ns.cluster($ns)`, `.cluster("x").length()`, `def f(x; $y): x + y + $y; f(1; 2)`, `def f: f; f`,
		`def f(f): f; f(1)`, `. as [$a] ?// {b: $b} | $a, $b`, `. as {$a, b: [$c], ($a | tostring): $d} | $a, $c, $d`, `. as {$a: [$b]} | $a, $b`, `. as {a: $x, b: {($x): $y}} | $y`,
		`label $x | (label $y | break $x), [.[] | break $x]`, `label $x | def f: break $x; f`, `1 as $x | 2 as $y | def f: $x + $y; f`,
		`import "m" as m; m::f(m::g)`, `import "other" as o; o::anything(1)`, `import "data" as $d; $d, $d::d`, `include "i"; inc`, `m::g`, `$n::n`,
		`reduce .[] as [$a, $b] (0; . + $a + $b)`, `foreach .[] as $x (0; $x; $x)`,
	} {
		program, err := Parse("", src)
		if err != nil {
			t.Fatal(err)
		}
		if errs := Check(program, names); len(errs) > 0 {
			t.Errorf("%q: %v", src, errs[0])
		}
	}
}

func TestTheLanguagesOwnNames(t *testing.T) {
	program, err := Parse("", `env, $ENV, $__loc__, {$ENV, $__loc__}, $__prog_args`)
	if err != nil {
		t.Fatal(err)
	}
	errs := Check(program, given{})
	if len(errs) != 1 || errs[0].Msg != "variable not defined: $__prog_args" {
		t.Error(errs)
	}
}

func TestModulesAreCheckedWhenTheyAreKnown(t *testing.T) {
	names := given{"m::cluster/1": true, "m::_hidden/0": true}
	for src, want := range map[string]string{
		`import "m" as m; m::clustr(1)`:            "query:1:18: function not defined: m::clustr/1, did you mean m::cluster/1?",
		`import "m" as m; m::cluster`:              "query:1:18: m::cluster takes 1 argument, not none",
		`import "m" as m; o::cluster(1)`:           "query:1:18: module not imported: o",
		`import "m" as m; m::hiddn`:                "query:1:18: function not defined: m::hiddn/0",
		`import "m" as m; import "d" as $d; $d::e`: "query:1:36: variable not defined: $d::e, did you mean $d::d?",
	} {
		program, err := Parse("", src)
		if err != nil {
			t.Fatal(err)
		}
		errs := Check(program, names)
		if len(errs) != 1 || errs[0].Error() != want {
			t.Errorf("%s: %v, want %s", src, errs, want)
		}
	}
}

// TestCheckIsDeterministic checks that the errors don't depend on the order in which
// Names.Keys returns the names.
func TestCheckIsDeterministic(t *testing.T) {
	names := gojqNames(t, "aad/1", "aac/0", "aab/1", "aaa/0", "aag/1")
	program, err := Parse("", `aae(1) | aae | lengt`)
	if err != nil {
		t.Fatal(err)
	}
	first := Check(program, names)
	for i, want := range []string{"aae/1, did you mean aab/1?", "aae/0, did you mean aaa/0?", "lengt/0, did you mean length/0?"} {
		if first[i].Msg != "function not defined: "+want {
			t.Errorf("%s, want %s", first[i].Msg, want)
		}
	}
	for range 50 {
		again := Check(program, names)
		for i := range first {
			if *again[i] != *first[i] {
				t.Fatalf("%v, then %v", first[i], again[i])
			}
		}
	}
}

// TestDistance compares the function distance with the recursive definition of the
// Damerau-Levenshtein distance in textbooks.
func TestDistance(t *testing.T) {
	var slow func(a, b string) int
	slow = func(a, b string) int {
		if a == "" || b == "" {
			return len(a) + len(b)
		}
		d := slow(a[1:], b[1:])
		if a[0] != b[0] {
			d++
		}
		d = min(d, slow(a[1:], b)+1, slow(a, b[1:])+1)
		if len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0] {
			d = min(d, slow(a[2:], b[2:])+1)
		}
		return d
	}
	r := rand.New(rand.NewPCG(7, 8))
	word := func() string {
		b := make([]byte, r.IntN(6))
		for i := range b {
			b[i] = 'a' + byte(r.IntN(3))
		}
		return string(b)
	}
	for range 2_000 {
		a, b := word(), word()
		if d := len(a) - len(b); d > 3 || d < -3 {
			continue
		}
		if got, want := distance(a, b), slow(a, b); got != want {
			t.Fatalf("distance(%q, %q) is %d, want %d", a, b, got, want)
		}
	}
}
