package syntax

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/itchyny/gojq"
)

// checkFormat checks that the result of Format can be parsed and has the same meaning. If
// the source contains no method calls, gojq must parse the result too.
func checkFormat(t *testing.T, src string) bool {
	t.Helper()
	program, err := Parse("", src)
	if err != nil {
		return false
	}
	text := Format(program.Query)
	again, err := Parse("", text)
	if err != nil {
		t.Errorf("%q is written %q: %v", src, text, err)
		return true
	}
	if !reflect.DeepEqual(converted(again.Query), converted(program.Query)) || methods(again.Query) != methods(program.Query) {
		t.Errorf("%q is written %q, which is another tree", src, text)
	}
	if twice := Format(again.Query); twice != text {
		t.Errorf("%q is written %q, then %q", src, text, twice)
	}
	if methods(program.Query) == 0 {
		if plain, err := gojq.Parse(text); err != nil || !reflect.DeepEqual(plain, converted(program.Query)) {
			t.Errorf("%q is written %q, which is another tree to gojq: %v", src, text, err)
		}
	}
	return true
}

func TestFormatIsReadAgain(t *testing.T) {
	for _, src := range sources(t) {
		checkFormat(t, src)
	}
	for _, c := range equivalences {
		checkFormat(t, c.method)
	}
	for _, src := range []string{
		`(.a | .f(1))?`, `(.a | .f(1)?)`, `(-1 | .f())`, `-1 .f()`, `(try .a | .f())`, `(label $x | .f())`, `(.a | .f().b)`, `(.a | .f())[0]`, `(def g: 1; .a | .f())`, `(.a | def g: 1; .f())`,
		`(. as $x | .f())`, `. .[0]`, `. .[1:2]`, `. ."a"`, `. .a`, `.. .a`, `1 .a`, `1[0]`, `.[0].[1]`, `1.`, `"\u0000\u007f\u00a0\ufeff\\\"\(.)\u2028"`, `{"a b": 1, "\(.)": 2, if: 3}`,
	} {
		if !checkFormat(t, src) {
			t.Errorf("%q does not parse", src)
		}
	}
	r := rand.New(rand.NewPCG(11, 12))
	valid := 0
	for range 10_000 {
		if checkFormat(t, cook(r, sources(t))) {
			valid++
		}
	}
	if valid < 1_000 {
		t.Errorf("only %d random programs are valid", valid)
	}
}

func TestFormatLooksAsWritten(t *testing.T) {
	for _, src := range []string{
		`.proxies[] | select(.rds == "STALE") | .name`,
		`.proxy("istio-ingressgateway").route("http.80").match("/productpage")?.route.cluster`,
		`def stale: .rds == "STALE"; [.proxies[] | select(.stale())] | length`,
		`reduce .proxies[] as {name: $n, $rds} ({}; .[$n] = $rds) | to_entries[0:3]`,
		`if .a then "x\(.b)" elif .c then -1 else @base64 "\(.d)" end`,
		`import "m" as m; m::f(.a; .b // 1), {a, $b, "c": 1, (.d): 2}`,
		`label $out | foreach .[] as [$a] ?// $a (0; . + 1; try break $out catch .)`,
	} {
		program, err := Parse("", src)
		if err != nil {
			t.Fatal(err)
		}
		if got := Format(program.Query); got != src {
			t.Errorf("%s is written %s", src, got)
		}
	}
}
