package query_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// results returns the results of a query on null, as it prints them, one per line.
func results(t *testing.T, src string, o query.Options) (string, error) {
	t.Helper()
	p, err := query.Compile(src, o)
	if err != nil {
		return "", err
	}
	var out []string
	err = p.Run(context.Background(), nil, nil, eval.RunOptions{}, func(v any) error {
		text, err := gojq.Marshal(object.ToPlain(v))
		out = append(out, string(text))
		return err
	})
	return strings.Join(out, "\n"), err
}

func TestModules(t *testing.T) {
	first := fstest.MapFS{
		"a.jq":         {Data: []byte(`include "b"; def f: b + 1;`)},
		"b/b.jq":       {Data: []byte(`def b: 41;`)},
		"data.json":    {Data: []byte(`{"k":1} 2`)},
		"sub/inner.jq": {Data: []byte(`def i: "inner";`)},
		"e/e.jq":       {Data: []byte(`import "d" as d {search: "./"}; def c: d::a;`)},
		"e/d.jq":       {Data: []byte(`def a: "beside";`)},
		"d.jq":         {Data: []byte(`def a: "above";`)},
		"x/up.jq":      {Data: []byte(`import "inner" as i {search: "../sub"}; def up: i::i;`)},
		"x/near.jq":    {Data: []byte(`import "up" as u; def near: u::up;`)},
		"broken.jq":    {Data: []byte("def x: 1;\ndef y: (;")},
		"raises.jq":    {Data: []byte("def r:\n  error(\"no\");")},
	}
	second := fstest.MapFS{"a.jq": {Data: []byte(`def f: "second";`)}, "c.jq": {Data: []byte(`def c: "c";`)}}
	o := query.Options{Modules: []fs.FS{first, second}, Data: func(f fs.File) ([]any, error) {
		text, err := io.ReadAll(f)
		return []any{string(text)}, err
	}}
	for src, want := range map[string]string{
		`import "a" as a; a::f`:                                 "42",
		`include "c"; c`:                                        `"c"`,
		`import "data" as $d; $d | length`:                      "1",
		`import "inner" as i {search: "sub"}; i::i`:             `"inner"`,
		`import "inner" as i {search: ["none", "sub"]}; i::i`:   `"inner"`,
		`import "e" as c; c::c`:                                 `"beside"`,
		`import "x/up" as c; c::up`:                             `"inner"`,
		`import "x/near" as c; c::near`:                         `"inner"`,
		`import "a" as x; import "c" as y; [x::f, y::c] | add?`: "",
	} {
		got, err := results(t, src, o)
		if err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", src, got, err, want)
		}
	}
}

func TestModulesRefused(t *testing.T) {
	root := fstest.MapFS{"x/out.jq": {Data: []byte(`import "c" as c {search: "../../second"}; def out: c::c;`)}, "broken.jq": {Data: []byte("def x: 1;\ndef y: (;")}, "dir.jq/x": {Data: nil}}
	for src, says := range map[string]string{
		`import "../a" as a; 1`:               "inside the library folders",
		`import "/etc/passwd" as a; 1`:        "inside the library folders",
		`import "a" as a {search: "../x"}; 1`: "inside the library folders",
		`import "x/out" as a; 1`:              "inside the library folders",
		`import "none" as n; 1`:               `module "none": not in the library folders`,
		`include "broken"; 1`:                 "broken.jq:2:9: ",
		`import "dir" as d; 1`:                "not a file",
	} {
		if got, err := results(t, src, query.Options{Modules: []fs.FS{root}}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %s %v, want an error with %q", src, got, err, says)
		}
	}
	if _, err := results(t, `import "a" as a; 1`, query.Options{}); err == nil {
		t.Error("a module was imported with no library folder")
	}
}

func TestCompileErrors(t *testing.T) {
	_, err := query.Compile(".a | nope(1)", query.Options{})
	var se *syntax.Error
	if !errors.As(err, &se) || se.Start != 5 || se.End != 9 {
		t.Errorf("%v", err)
	}
	if _, err := query.Compile("proxy(1)", query.Options{Plain: true}); err == nil {
		t.Error("plain jq has the library's functions")
	}
}

func TestOneLine(t *testing.T) {
	for src, want := range map[string]string{
		`.proxy("x").route( "y" )`: `.proxy("x").route("y")`,
		"# all\n.a\n| .b":          ".a | .b",
		".[":                       ".[",
	} {
		got := query.OneLine(src)
		if got != want {
			t.Errorf("%q: %s, want %s", src, got, want)
		}
	}
}
