// Package query compiles a query and runs it: the words of the language, its
// evaluator and its library put together. It knows values, not where they come
// from: nothing here knows a cluster, a file or a printer.
package query

import (
	"context"
	"io/fs"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Options configure a compilation.
type Options struct {
	// File is the name of the file that the query is from; empty for one
	// given on the command line.
	File string

	// Variables are the names, "$name", whose values Run is given.
	Variables []string

	// Modules are the folders that import and include may read, in order; no
	// name leads outside of them. Errors show a file behind the Name of its
	// folder, if the folder has such a method.
	Modules []fs.FS

	// Data decodes the JSON values of a file for import "x" as $x.
	Data func(f fs.File) ([]any, error)

	// Env is what $ENV and env are; nil for an empty object.
	Env *object.Object

	// FieldHint returns a note for the user on a field that a kind does not
	// have; empty if there is none.
	FieldHint func(kind, field string) string

	// Doors are what the library's functions may ask.
	Doors library.Doors

	// Unknown is set for a query that checks something: it is evaluated on
	// {proxy, subject, message} for each proxy (null for the mesh) that could
	// not be checked because something was not read.
	Unknown string

	// Plain leaves the library out: only jq's own builtins are defined.
	Plain bool
}

// Program is a compiled query. It may be run any number of times, also at the
// same time.
type Program struct {
	code   *eval.Code
	source *syntax.Program
}

// Doubts returns the parts of the query that probably don't mean what they say,
// with their places.
func (p *Program) Doubts() []*syntax.Error { return p.source.Doubts() }

// Compile parses and checks a query. An error of the query's own making is a
// [*syntax.Error], which knows where in the source it stands.
func Compile(src string, o Options) (*Program, error) {
	p, err := syntax.Parse(o.File, src)
	if err != nil {
		return nil, err
	}
	judged := p
	if o.Unknown != "" {
		if judged, err = judging(p, o.Unknown); err != nil {
			return nil, err
		}
	}
	eo := eval.Options{Variables: o.Variables, Env: o.Env, FieldHint: o.FieldHint}
	if len(o.Modules) > 0 {
		eo.Modules = &modules{roots: o.Modules, data: o.Data}
	}
	if !o.Plain {
		if eo.Library, err = library.Programs(); err != nil {
			return nil, err
		}
		eo.Natives = library.Natives(o.Doors)
	}
	code, err := eval.Compile(judged, eo)
	if err != nil {
		return nil, err
	}
	return &Program{code, p}, nil
}

// judging wraps the body of a program in _judged, after its imports.
func judging(p *syntax.Program, unknown string) (*syntax.Program, error) {
	u, err := syntax.Parse("", unknown)
	if err != nil {
		return nil, err
	}
	body := *p.Query
	body.Imports, body.Meta = nil, nil
	call := &syntax.Func{Name: "_judged", Args: []*syntax.Query{&body, u.Query}}
	out := *p
	out.Query = &syntax.Query{Imports: p.Query.Imports, Meta: p.Query.Meta, Term: &syntax.Term{Type: syntax.TermFunc, Func: call}}
	return &out, nil
}

// Run runs the program over a value, with the values of its variables, and
// passes each result to out, in order.
func (p *Program) Run(ctx context.Context, in any, vars []any, o eval.RunOptions, out func(any) error) error {
	return p.code.Run(ctx, in, vars, o, out)
}
