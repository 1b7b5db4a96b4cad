package eval

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// marked returns the source of a query, with brackets around the position of the error.
func marked(e *values.Error) string {
	if e.Program == nil {
		return ""
	}
	src := e.Program.Src
	return src[:e.Span.Start] + "⟦" + src[e.Span.Start:e.Span.End] + "⟧" + src[e.Span.End:]
}

func parse(t testing.TB, src string) *syntax.Program {
	t.Helper()
	p, err := syntax.Parse("", src)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return p
}

// TestErrorsHaveAPlace checks that an error has the position in the user's own query at
// which it was raised, the innermost one.
func TestErrorsHaveAPlace(t *testing.T) {
	library := []*syntax.Program{parse(t, `def inner: .a.b; def outer(f): f | inner; def broken: 1 | .x;`)}
	natives := []Native{
		{Name: "bad", Value: func(*Call) (any, error) { return nil, errors.New("bad luck") }},
		{Name: "each", Arity: 1, Each: func(c *Call, yield func(any) error) error {
			for i := range 2 {
				if err := yield(i); err != nil {
					return err
				}
			}
			return errors.New("enough")
		}},
	}
	for _, tc := range []struct{ query, want, msg string }{
		{`.a | .b.c`, `.a | .b⟦.c⟧`, `Cannot index number with string ("c")`},
		{`.a.b[.a.b]`, `.a.b⟦[.a.b]⟧`, ``},
		{`.a[0]`, `.a⟦[0]⟧`, ``},
		{`.l[]`, `.l⟦[]⟧`, `Cannot iterate over null (null)`},
		{`.a.b[1:]`, `.a.b⟦[1:]⟧`, ``},
		{`1 + {}`, `1 ⟦+⟧ {}`, `number (1) and object ({}) cannot be added`},
		{`[.a.b, (.a | . - 1)]`, `[.a.b, (.a | . ⟦-⟧ 1)]`, ``},
		{`-.a`, `⟦-.a⟧`, ``},
		{`.a | error`, `.a | ⟦error⟧`, ``},
		{`error("x")`, `⟦error⟧("x")`, `error: x`},
		{`.a | keys | first | tonumber`, `.a | keys | first | ⟦tonumber⟧`, ``},
		{`.a | map(.x)`, `.a | map(⟦.x⟧)`, `Cannot index number with string ("x")`},
		{`.a.b | map(.)`, `.a.b | ⟦map⟧(.)`, `Cannot iterate over number (1)`},
		{`def f: .x; .a.b | f`, `def f: ⟦.x⟧; .a.b | f`, ``},
		{`def f(g): g; f(.a.b.c)`, `def f(g): g; f(.a.b⟦.c⟧)`, ``},
		{`.a.b.outer(.)`, `.a.b.⟦outer⟧(.)`, ``},
		{`.a.b | outer(.)`, `.a.b | ⟦outer⟧(.)`, `Cannot index number with string ("a")`},
		{`with_entries(.value.x)`, `⟦with_entries⟧(.value.x)`, `Cannot use null (null) as object key`},
		{`with_entries(.value.b.y)`, `with_entries(.value.b⟦.y⟧)`, ``},
		{`.a.b | outer(.c)`, `.a.b | outer(⟦.c⟧)`, ``},
		{`broken`, `⟦broken⟧`, ``},
		{`bad`, `⟦bad⟧`, `bad luck`},
		{`each(1)`, `⟦each⟧(1)`, `enough`},
		{`each(1) | .x`, `each(1) | ⟦.x⟧`, ``},
		{`.a.b as [$x] | 1`, `.a.b as ⟦[$x]⟧ | 1`, `Cannot index number with number (0)`},
		{`.a.b as {x: $x} | 1`, `.a.b as {⟦x: $x⟧} | 1`, ``},
		{`{(.a.b): 2}`, `{⟦(.a.b): 2⟧}`, `Cannot use number (1) as object key`},
		{`"\(.a | .b.c)"`, `"\(.a | .b⟦.c⟧)"`, ``},
		{`reduce .l[] as $x (0; 1)`, `reduce .l⟦[]⟧ as $x (0; 1)`, ``},
		{`.a.b |= error("no")`, `.a.b |= ⟦error⟧("no")`, `error: no`},
		{`.a.b.c = 1`, `.a.b.c ⟦=⟧ 1`, `Cannot index number with string ("c")`},
		{`path(1)`, `⟦path⟧(1)`, ``},
		{`path(1 | .a)`, `path(1 | ⟦.a⟧)`, ``},
		{`try error("a") catch error("b")`, `try error("a") catch ⟦error⟧("b")`, `error: b`},
		{`[limit(1; .a.b.c)]`, `[limit(1; .a.b⟦.c⟧)]`, ``},
		{`limit(-1; 1)`, `⟦limit⟧(-1; 1)`, ``},
		{`first(.a.b[])`, `first(.a.b⟦[]⟧)`, ``},
		{`.a | to_entries | from_entries | .b.c`, `.a | to_entries | from_entries | .b⟦.c⟧`, ``},
		{`ltrimstr(.a.b.c)`, `ltrimstr(.a.b⟦.c⟧)`, ``},
		{`@base64d`, `⟦@base64d⟧`, ``},
		{`[1, "x"] | join(1)`, `[1, "x"] | ⟦join⟧(1)`, ``},
		{`recurse(.a.b.c)`, `recurse(.a.b⟦.c⟧)`, ``},
		// this error's position depends on the stack, so it isn't checked
		{`def f: 1 + f; f`, ``, `recursion is too deep`},
	} {
		code := mustCompile(t, tc.query, Options{Library: library, Natives: natives})
		in := object.Of("a", object.Of("b", 1))
		err := code.Run(context.Background(), in, nil, RunOptions{}, func(any) error { return nil })
		e, ok := err.(*values.Error)
		if !ok {
			t.Errorf("%s: %v", tc.query, err)
			continue
		}
		if got := marked(e); tc.want != "" && got != tc.want {
			t.Errorf("got  %s\nwant %s (%v)", got, tc.want, e)
		}
		if tc.msg != "" && e.Error() != tc.msg {
			t.Errorf("%s: %v\nwant %s", tc.query, e, tc.msg)
		}
	}
}

// TestErrorsNameTheProxy checks that an error names the proxy that was being
// evaluated.
func TestErrorsNameTheProxy(t *testing.T) {
	for _, tc := range []struct{ query, element string }{
		{`.proxies[] | .clusters[1] | .w.x`, "pod-001.ns1"},
		{`.proxies[] | select(.i == 4) | .name.x`, "pod-004.ns1"},
		{`.proxies[] as $p | $p.clusters | .x`, "pod-000.ns0"},
		{`.proxies | map(.clusters | .x)`, "pod-000.ns0"},
		{`.proxies | any(.clusters | .x)`, "pod-000.ns0"},
		{`.proxies | sort_by(.clusters.x)`, "pod-000.ns0"},
		{`reduce .proxies[] as $p (0; if $p.i == 2 then $p.clusters.x else . end)`, "pod-002.ns2"},
		{`[foreach .proxies[] as $p (0; if $p.i == 2 then $p.clusters.x else . end)]`, "pod-002.ns2"},
		{`first(.proxies[] | select(.i == 3)) | .name.x`, "pod-003.ns0"},
		{`.proxies[3].x.y.z, .proxies[3][0]`, "pod-003.ns0"},
		{`.proxies[3].clusters[0] | .[0]`, "pod-003.ns0"},
		{`.proxies[3] | error`, "pod-003.ns0"},
		{`.proxies[3].clusters[0] | tonumber`, "pod-003.ns0"},
		{`.proxies[] | .clusters[0] | error("x")`, "pod-000.ns0"},
		{`.proxies[].clusters |= .x`, "pod-000.ns0"},
		{`.x.y | .z | error("a")`, ""},
	} {
		for _, workers := range []int{1, 16} {
			a := ask(context.Background(), t, tc.query, newFake(6, 0).document(), workers)
			var e *values.Error
			if !errors.As(a.err, &e) || e.Element != tc.element {
				t.Errorf("%s with %d workers: %v, about %q, want %q", tc.query, workers, a.err, e.Element, tc.element)
			}
		}
	}
	a := ask(context.Background(), t, `.proxies[1].name | .x`, newFake(3, 0).document(), 1)
	if want := `Cannot index string with string ("x")`; a.err.Error() != want {
		t.Errorf("got %v, want %s", a.err, want)
	}
}

// TestErrorsLoadNothing checks that an error message never loads the value that it
// contains.
func TestErrorsLoadNothing(t *testing.T) {
	for _, tc := range []struct{ query, msg string }{
		{`.proxies[0] | .[0]`, `pod-000.ns0: Cannot index object with number (0)`},
		{`.proxies[0] | [.clusters] | .x`, `Cannot index array with string ("x")`},
		{`.proxies[0] | {c: .clusters} | .[0]`, `Cannot index object with number (0)`},
		{`.proxies[0] | -.`, `object ({"kind":"Proxy","id":"pod...}) cannot be negated`},
		{`.proxies[0] | [.clusters] | -.`, `array ([{…}]) cannot be negated`},
		{`.proxies[0] | {c: .clusters} | -.`, `object ({"c":{…}}) cannot be negated`},
		{`try (.proxies[0] | .[0]) catch length`, ``},
	} {
		f := newFake(3, 0)
		a := ask(context.Background(), t, tc.query, f.document(), 1)
		if tc.msg != "" && (a.err == nil || a.err.Error() != tc.msg) {
			t.Errorf("%s: %v, want %s", tc.query, a.err, tc.msg)
		}
		if loads := f.loaded(); len(loads) > 0 {
			t.Errorf("%s: loaded %v", tc.query, loads)
		}
	}
}

func TestHaltAndBreak(t *testing.T) {
	err := mustCompile(t, `1, ("bye" | halt_error), 2`, Options{}).Run(context.Background(), nil, nil, RunOptions{}, func(any) error { return nil })
	if h, ok := err.(*values.Halt); !ok || h.Code != 5 || h.Value != "bye" || !h.HasValue {
		t.Errorf("got %#v", err)
	}
	err = mustCompile(t, `1, halt, 2`, Options{}).Run(context.Background(), nil, nil, RunOptions{}, func(any) error { return nil })
	if h, ok := err.(*values.Halt); !ok || h.Code != 0 || h.HasValue {
		t.Errorf("got %#v", err)
	}
	mine := fmt.Errorf("pipe closed: %w", &mesh.Fault{Proxy: "x", Err: errors.New("y")})
	for _, q := range []string{`.proxies[] | .clusters | length`, `try .proxies[] catch 1`, `[.proxies[].i][] as [$a] ?// $a | $a`} {
		n := 0
		err = mustCompile(t, q, Options{}).Run(context.Background(), newFake(5, 0).document(), nil, RunOptions{Workers: 4}, func(any) error {
			if n++; n == 2 {
				return mine
			}
			return nil
		})
		if err != mine || n != 2 {
			t.Errorf("%s: %v after %d results", q, err, n)
		}
	}
}

func TestFieldHints(t *testing.T) {
	var asked []string
	o := Options{FieldHint: func(kind, field string) string {
		asked = append(asked, kind+"."+field)
		if field == "rsd" {
			return "did you mean rds?"
		}
		return ""
	}}
	for _, workers := range []int{1, 8} {
		asked = nil
		code := mustCompile(t, `.proxies[] | .rsd, .nothing?, .name, (.clusters[0] | .x, .w), ({kind: "Plain"} | .y), ({} | .z) | empty`, o)
		a := askWith(context.Background(), code, newFake(9, 0).document(), RunOptions{Workers: workers})
		if got, want := fmt.Sprint(asked, a.notes), "[Proxy.rsd Proxy.nothing Cluster.x Plain.y] [did you mean rds?]"; got != want || a.err != nil {
			t.Errorf("%d workers: %s, %v, want %s", workers, got, a.err, want)
		}
	}
}

// TestRecursionIsLimitedByItsStack checks that branches that aren't evaluated don't
// reduce the depth to which a function can recurse.
func TestRecursionIsLimitedByItsStack(t *testing.T) {
	var branches, alternatives strings.Builder
	for i := range 500 {
		fmt.Fprintf(&branches, "elif . == -%d then \"branch\" ", i+2)
		fmt.Fprintf(&alternatives, "(select(. == -%d) | \"branch\"), ", i+2)
	}
	for query, want := range map[string]string{
		"def f: if . == -1 then 0 " + branches.String() + "elif . > 0 then 1 + (. - 1 | f) else 0 end; 20000 | f": "20000",
		"def f: " + alternatives.String() + "(select(. > 0) | 1 + (. - 1 | f)), select(. == 0); 2000 | f":         "2000",
		"def f: if . > 0 then 1 + (. - 1 | f) else 0 end; 200000 | f":                                             "200000",
		"def f: if . > 0 then [. - 1 | f] else 0 end; 9000 | f | tojson | length":                                 "18001",
		"def f: 1 + f; try f catch \"caught\"":                                                                    "recursion is too deep",
		"def f: [f[]]; f":                                                                                         "recursion is too deep",
		"def f: (f | f), 1; f":                                                                                    "recursion is too deep",
		"def f(g): if . > 0 then . - 1 | f(g | g) else 0 end; 12 | f(.)":                                          "0",
		"reduce range(10000) as $i (null; [.]) | [recurse(.[]?)] | length":                                        "10001",
		"def f: if . > 0 then . as [$x] ?// $x | 1 + ($x - 1 | f) else 0 end; 2000 | f":                           "2000",
		"def f: label $out | if . > 0 then 1 + (. - 1 | f) else 0, break $out end; first(5000 | f)":               "5000",
		"def f: if . > 0 then {a: (. - 1 | f), b: 1} | .a + .b else 0 end; 20000 | f":                             "20000",
		"def f: if . > 0 then reduce (. - 1 | f) as $x (1; . + $x) else 0 end; 10000 | f":                         "10000",
		"def f: if . > 0 then try (1 + (. - 1 | f)) catch 0 else 0 end; 10000 | f":                                "10000",
		"def f: if . > 0 then first((. - 1 | f) + 1) else 0 end; 5000 | f":                                        "5000",
		"def f: if . > 0 then \"\\(. - 1 | f)\" | tonumber + 1 else 0 end; 20000 | f":                             "20000",
		"def f: if . > 0 then (. - 1 | f) // 1 | . + 1 else 0 end; 20000 | f":                                     "20000",
		"def f($n): if $n > 0 then 1 + f($n - 1) else 0 end; f(20000)":                                            "20000",
		"def f($n): def g: if $n > 0 then 1 + f($n - 1) else 0 end; g; f(10000)":                                  "10000",
	} {
		out := ""
		err := mustCompile(t, query, Options{}).Run(t.Context(), nil, nil, RunOptions{}, func(v any) error {
			out += native.Marshal(v)
			return nil
		})
		if err != nil {
			out += err.Error()
		}
		if out != want {
			t.Errorf("%.200s: %.100s, want %s", query, out, want)
		}
	}
}
