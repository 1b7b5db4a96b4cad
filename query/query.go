// Package query compiles and runs queries. It combines the syntax of the
// language, its evaluator and its library. It handles values and doesn't depend
// on their origin: it knows no clusters, files or printers.
package query

import (
	"context"
	"io/fs"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Options are the options of Compile.
type Options struct {
	// File is the name of the query's file. It is empty for a query on the
	// command line.
	File string

	// Variables are the names, with the $, of the variables whose values are
	// passed to Run.
	Variables []string

	// Modules are the folders in which import and include search, in order. A
	// module's name can't lead outside of them. If a folder has a method Name,
	// errors show the name before the file's.
	Modules []fs.FS

	// Data decodes the JSON values in a file for import "x" as $x.
	Data func(f fs.File) ([]any, error)

	// Env is the value of $ENV and env. If it is nil, their value is an empty
	// object.
	Env *object.Object

	// FieldHint returns a note for the user about a field that objects of a
	// kind don't have, or "" if there is nothing to say.
	FieldHint func(kind, field string) string

	// Doors give the library's functions access to the mesh.
	Doors library.Doors

	// Unknown is a query that is only set if the main query checks something.
	// It is evaluated on {proxy, subject, message} for each proxy (null for the
	// mesh) that could not be checked because something could not be read.
	Unknown string

	// Plain omits the library, so that only jq's own builtins are defined.
	Plain bool
}

// Program is a compiled query. It may be run several times, and by several
// goroutines at the same time.
type Program struct {
	code   *eval.Code
	source *syntax.Program
}

// Doubts returns the parts of the query that probably don't do what the user
// wants, with their positions.
func (p *Program) Doubts() []*syntax.Error { return p.source.Doubts() }

// Compile parses and checks a query. A mistake in the query is reported as a
// [*syntax.Error], which has the position.
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

// judging wraps the body of a program, after its imports, in a call of _judged.
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

// Run runs the program on a value, with the values of its variables, and passes
// each result to out, in order.
func (p *Program) Run(ctx context.Context, in any, vars []any, o eval.RunOptions, out func(any) error) error {
	return p.code.Run(ctx, in, vars, o, out)
}
