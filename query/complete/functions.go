package complete

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

//go:embed shapes.jq
var shapesText string

// A Function is a function that a query can call.
type Function struct {
	Name   string
	Params []string // names of the parameters in the documentation, such as "name"
	Doc    string   // one sentence about what the function returns
}

// Signature returns the function's name with its parameters, such as "proxy(name)".
func (f Function) Signature() string {
	if len(f.Params) == 0 {
		return f.Name
	}
	return f.Name + "(" + strings.Join(f.Params, "; ") + ")"
}

// base returns definitions of jq's functions that compute with shapes instead of values,
// by "name/arity". A definition determines the shapes of the values that the function can
// return.
var base = sync.OnceValue(readBase)

func readBase() map[string]*definition {
	p, err := syntax.Parse("shapes.jq", shapesText)
	if err != nil {
		panic(err) // can't happen, because shapes.jq is embedded in the program
	}
	all := primitives()
	for _, fd := range p.Query.FuncDefs {
		rest := shapesText[fd.End:]
		line, _, _ := strings.Cut(rest, "\n")
		_, doc, _ := strings.Cut(line, "# ")
		all[syntax.Key(fd.Name, len(fd.Args))] = &definition{params: fd.Args, body: fd.Body, self: fd.Name, doc: doc}
	}
	for name, doc := range map[string]string{
		"arrays": "only arrays", "objects": "only objects", "iterables": "only arrays and objects", "strings": "only strings",
		"scalars": "neither arrays nor objects", "numbers": "only numbers", "booleans": "only true and false", "nulls": "only null",
		"keys": "the names of the members, sorted",
	} {
		d := all[syntax.Key(name, 0)]
		d.self, d.doc = name, doc
	}
	return all
}

// builtins returns the functions of jq that have a description in shapes.jq.
func builtins(base map[string]*definition) (all []Function) {
	for _, d := range base {
		if d.doc == "" {
			continue
		}
		f := Function{Name: d.self, Doc: d.doc}
		for _, p := range d.params {
			f.Params = append(f.Params, strings.TrimPrefix(p, "$"))
		}
		all = append(all, f)
	}
	return all
}
