package eval

import (
	"context"
	"testing"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// benchmark is a query whose speed is measured, in the evaluator and in gojq.
type benchmark struct{ name, query string }

// benchmarks are queries that only compute and load nothing.
var benchmarks = []benchmark{
	{"fib", `def fib: if . < 2 then . else (. - 1 | fib) + (. - 2 | fib) end; 19 | fib`},
	{"fibarg", `def fib($n): if $n < 2 then $n else fib($n - 1) + fib($n - 2) end; fib(18)`},
	{"loop", `def f: if . < 30000 then . + 1 | f else . end; 0 | f`},
	{"reduce", `reduce range(50000) as $i (0; . + $i)`},
	{"foreach", `[foreach range(20000) as $i (0; . + $i; . * 2)] | length`},
	{"range", `[range(50000) | . + 1] | length`},
	{"objects", `[range(10000) | {a: ., b: "x", c: [.]}] | map(.a) | add`},
	{"select", `[range(30000) | select(. % 3 == 0)] | length`},
	{"group", `[range(10000) | {k: (. % 17), v: .}] | group_by(.k) | map({k: .[0].k, n: length})`},
	{"update", `[range(3000) | {a: ., b: {c: .}}] | .[].b.c |= . + 1 | length`},
	{"delete", `[range(3000) | {a: ., b: 1}] | del(.[].a) | length`},
	{"paths", `[range(1000) | {a: ., b: [1, 2]}] | [paths] | length`},
	{"strings", `[range(5000) | "a\(.)b" | ascii_upcase | ltrimstr("A")] | join(",") | length`},
	{"test", `[range(5000) | tostring | select(test("7$"))] | length`},
	{"closures", `def twice(f): f | f; def four(f): twice(twice(f)); [range(5000) | four(. + 1)] | add`},
	{"hanoi", `def h($n; f; t; v): if $n == 0 then 0 else h($n - 1; f; v; t) + 1 + h($n - 1; v; t; f) end; h(10; 1; 2; 3)`},
	{"ackermann", `def a($m; $n): if $m == 0 then $n + 1 elif $n == 0 then a($m - 1; 1) else a($m - 1; a($m; $n - 1)) end; a(2; 40)`},
	{"until", `[range(200)] | map(until(. > 100; . + 1)) | add`},
	{"limit", `[limit(10000; repeat(1))] | length`},
	{"tojson", `[range(3000) | {a: ., b: "x"} | tojson] | length`},
}

func BenchmarkOurs(b *testing.B) { measureOurs(b, benchmarks, nil) }
func BenchmarkGojq(b *testing.B) { measureGojq(b, benchmarks, nil) }

func measureOurs(b *testing.B, all []benchmark, in any) {
	for _, x := range all {
		code := mustCompile(b, x.query, Options{})
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := code.Run(context.Background(), in, nil, RunOptions{}, func(any) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func measureGojq(b *testing.B, all []benchmark, in any) {
	for _, x := range all {
		q, err := gojq.Parse(x.query)
		if err != nil {
			b.Fatal(err)
		}
		code, err := gojq.Compile(q)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for it := code.Run(object.ToPlain(in)); ; {
					v, ok := it.Next()
					if !ok {
						break
					}
					if err, ok := v.(error); ok {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
