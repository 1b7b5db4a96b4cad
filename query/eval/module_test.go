package eval

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// files is a module loader for the evaluator and for gojq. It contains the text of each
// module.
type files map[string]string

func (f files) Module(path string, search, _ any) (*syntax.Program, any, error) {
	if s, ok := search.(string); ok {
		path = s + "/" + path
	}
	text, ok := f[path+".jq"]
	if !ok {
		return nil, nil, fmt.Errorf("module %q: not in the library folders", path)
	}
	p, err := syntax.Parse(path+".jq", text)
	return p, nil, err
}

func (f files) Data(path string, _, _ any) (any, error) {
	text, ok := f[path+".json"]
	if !ok {
		return nil, fmt.Errorf("module %q: not in the library folders", path)
	}
	return []any{text}, nil
}

func (f files) LoadModuleWithMeta(path string, meta map[string]any) (*gojq.Query, error) {
	if s, ok := meta["search"].(string); ok {
		path = s + "/" + path
	}
	return gojq.Parse(f[path+".jq"])
}

func (f files) LoadJSONWithMeta(path string, _ map[string]any) (any, error) {
	return f.Data(path, nil, nil)
}

var moduleFiles = files{
	"a.jq":      `def f: "a.f"; def g: f + "!"; def f: "a.f2"; def h(x): [x, f]; def fac: if . < 2 then 1 else . * (. - 1 | fac) end;`,
	"b.jq":      `import "a" as a; import "d" as $d; def f: a::f + " by b"; def data: $d, $d::d; def bad: .x;`,
	"c.jq":      `include "a"; def k: g + f;`,
	"d.json":    "data",
	"sub/e.jq":  `def e($x; f): $x + f;`,
	"meta.jq":   `module {name: "meta", version: 1.5, tags: ["x", null, true]}; import "a" as a; def m: 1; def n(x): 2;`,
	"loop.jq":   `import "loop" as l; def x: 1;`,
	"broken.jq": "def x:\n  1 +;",
	"lost.jq":   "def x:\n  missing(1);",
}

// TestModules checks that modules work as in gojq.
func TestModules(t *testing.T) {
	for _, q := range []string{
		`import "a" as a; a::f, a::g, a::h(1), (5 | a::fac)`,
		`include "a"; f, g, h(.)`,
		`include "a"; def f: "mine"; f, g`,
		`import "a" as a; def f: "mine"; f, a::f`,
		`import "b" as b; b::f, [b::data]`,
		`include "c"; k, g`,
		`import "c" as c; c::k, c::g`,
		`import "d" as $d; $d, $d::d`,
		`import "d" as $d; def f: $d; f, ("x" as $d | $d)`,
		`import "e" as e {search: "sub"}; e::e(1, 2; 10)`,
		`import "a" as x; import "b" as x; x::f`,
		`include "a"; include "c"; f, k`,
		`import "a" as a; [1, 2] | map(a::h(.)) | length`,
		`import "b" as b; try b::bad catch "caught"`,
		`import "a" as a; path(.a | a::fac | empty)`,
	} {
		p := parse(t, q)
		code, err := Compile(p, Options{Modules: moduleFiles})
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		got := askWith(context.Background(), code, 3, RunOptions{})
		gq, err := gojq.Parse(q)
		if err != nil {
			t.Fatal(err)
		}
		gc, err := gojq.Compile(gq, gojq.WithModuleLoader(moduleFiles))
		if err != nil {
			t.Fatal(err)
		}
		want := &answer{}
		for it := gc.Run(3); ; {
			v, ok := it.Next()
			if !ok {
				break
			}
			if err, ok := v.(error); ok {
				want.err = err
				break
			}
			text, _ := gojq.Marshal(object.ToPlain(v))
			want.out = append(want.out, string(text))
		}
		if got.kinds() != want.kinds() {
			t.Errorf("%s: %s\nwant %s", q, got, want)
		}
	}
}

// TestModuleErrors checks that an error in a module names the module.
func TestModuleErrors(t *testing.T) {
	for _, tc := range []struct{ query, want string }{
		{`import "nowhere" as x; 1`, `query:1:1: module "nowhere": not in the library folders`},
		{`import "nowhere" as $x; 1`, `query:1:1: module "nowhere": not in the library folders`},
		{`import "broken" as x; 1`, `broken.jq:2:6: `},
		{`import "lost" as x; 1`, `lost.jq:2:3: function not defined: missing/1`},
		{`import "loop" as x; 1`, `loop.jq:1:1: module "loop": imports are nested too deep`},
		{`import "a" as a; a::nothing`, `query:1:18: function not defined: a::nothing/0`},
		{`import "a" as a; f`, `query:1:18: function not defined: f/0`},
		{`import "c" as c; def x: c::k; nothing`, `query:1:31: function not defined: nothing/0`},
	} {
		_, err := Compile(parse(t, tc.query), Options{Modules: moduleFiles})
		var e *syntax.Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%s: %v\nwant %s", tc.query, err, tc.want)
		}
	}
	if _, err := Compile(parse(t, `import "a" as a; 1`), Options{}); err == nil || err.Error() != `query:1:1: cannot load module: "a"` {
		t.Errorf("without a loader: %v", err)
	}
	code, err := Compile(parse(t, `import "b" as b; 3 | b::bad`), Options{Modules: moduleFiles})
	if err != nil {
		t.Fatal(err)
	}
	err = code.Run(context.Background(), nil, nil, RunOptions{}, func(any) error { return nil })
	if e, ok := err.(*values.Error); !ok || e.Place().Error() != `b.jq:1:89: Cannot index number with string ("x")` {
		t.Errorf("got %v at %v", err, e.Place())
	}
}

// TestLibrary checks that functions of the library replace builtins, may call
// functions defined before them, and may be called by later code.
func TestLibrary(t *testing.T) {
	library := []*syntax.Program{
		parse(t, `def length: "mine"; def size: length; def map(f): "map"; def sort: "sort";`),
		parse(t, `def twice: size + size; def old: map(1); def _keys: keys; def keys: [_keys[] | ascii_upcase];`),
	}
	natives := []Native{
		{Name: "reverse", Value: func(*Call) (any, error) { return "reversed", nil }},
		{Name: "sum", Arity: 2, Value: func(c *Call) (any, error) { return c.Args[0].(int) + c.Args[1].(int), nil }},
		{Name: "upto", Arity: 1, Each: func(c *Call, yield func(any) error) error {
			for i := range c.Args[0].(int) {
				if err := yield(i); err != nil {
					return err
				}
			}
			return nil
		}},
	}
	for q, want := range map[string]string{
		`[1] | length, size, twice, old`:                       `"mine" "mine" "minemine" "map"`,
		`[2, 1] | sort_by(.), sort, reverse`:                   `[1,2] "sort" "reversed"`,
		`def length: "user"; length, size`:                     `"user" "mine"`,
		`[{a: 1}] | to_entries, (.[0] | with_entries(.value))`: ``,
		`[sum(1, 2; 10, 20)]`:                                  `[11,12,21,22]`,
		`[upto(2, 3)]`:                                         `[0,1,0,1,2]`,
		`[limit(2; upto(100))]`:                                `[0,1]`,
		`first(upto(3))`:                                       `0`,
		`{b: 1, a: 2} | keys`:                                  `["A","B"]`,
		`[1, 2] | any, (map(.) | .)`:                           `true "map"`,
		`$__loc__, (1 | $__loc__.line)`:                        "{\"file\":\"<top-level>\",\"line\":1} 1",
		"1 |\n $__loc__.line":                                  `2`,
		`$ENV, env, $ENV.X`:                                    `{} {} null`,
	} {
		code := mustCompile(t, q, Options{Library: library, Natives: natives})
		a := askWith(context.Background(), code, nil, RunOptions{})
		if got := strings.Join(a.out, " "); want != "" && (got != want || a.err != nil) {
			t.Errorf("%s: %s, %v\nwant %s", q, got, a.err, want)
		}
	}
	code := mustCompile(t, `$ENV.X, env.X`, Options{Env: object.Of("X", "y")})
	if a := askWith(context.Background(), code, nil, RunOptions{}); fmt.Sprint(a.out) != `["y" "y"]` {
		t.Errorf("$ENV: %v", a)
	}
	code = mustCompile(t, `$a + $b`, Options{Variables: []string{"$a", "$b"}})
	out := 0
	if err := code.Run(context.Background(), nil, []any{1, 2}, RunOptions{}, func(v any) error { out = v.(int); return nil }); err != nil || out != 3 {
		t.Errorf("variables: %v, %v", out, err)
	}
	if err := code.Run(context.Background(), nil, []any{1}, RunOptions{}, func(any) error { return nil }); err == nil {
		t.Error("too few values for the variables")
	}
}

func TestCompileErrors(t *testing.T) {
	for q, want := range map[string]string{
		`nothing`:            `query:1:1: function not defined: nothing/0`,
		`lenght`:             `query:1:1: function not defined: lenght/0, did you mean length/0?`,
		`. as $x | $y`:       `query:1:11: variable not defined: $y`,
		`break $x`:           `query:1:`,
		`def f: 1;`:          `query:1:1: missing query (try ".")`,
		``:                   `query:1:1: missing query (try ".")`,
		`def f($a): b; f(1)`: `query:1:12: function not defined: b/0`,
	} {
		_, err := Compile(parse(t, q), Options{})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", q, err, want)
		}
	}
}
