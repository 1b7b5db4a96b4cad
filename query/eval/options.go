package eval

import (
	"context"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Options configure a compilation.
type Options struct {
	// Variables are the names, "$name", whose values Run is given.
	Variables []string

	// Library are programs of definitions that hide builtins of the same name
	// and arity. A definition sees those before it, and its own. Errors in
	// them are said to be where the user's text calls them.
	Library []*syntax.Program

	// Natives are functions written in Go. They hide builtins too.
	Natives []Native

	// Modules finds what import and include name; nil refuses them.
	Modules ModuleLoader

	// Env is what $ENV and env are; nil for an empty object.
	Env *object.Object

	// FieldHint says what to tell about a field that a kind does not have;
	// empty when there is nothing to say. It is asked once for each.
	FieldHint func(kind, field string) string
}

// ModuleLoader finds modules by the path that import or include gives, and
// the import's metadata {search: …}, nil where there is none. From is the place
// that Module gave for the module that imports; nil for the program itself.
type ModuleLoader interface {
	Module(path string, search, from any) (p *syntax.Program, place any, err error)
	Data(path string, search, from any) (any, error)
}

// Native is a function written in Go. Exactly one of Value, which gives one
// result, and Each is set. Both may be called by several goroutines at once,
// and ahead of the consumer: they must change nothing that can be seen.
type Native struct {
	Name  string
	Arity int
	Value func(*Call) (any, error)
	Each  func(c *Call, yield func(any) error) error
}

// Call is one call of a [Native], for one combination of the results of its
// arguments.
type Call struct {
	Ctx  context.Context
	In   any          // the input, as it came: lazy or not
	Args []any        // likewise
	Note func(string) // tells the user something, once the result is used

	// Fault tells the user of a part of the document that can't be read, and
	// that the native answers without.
	Fault func(*mesh.Fault)
}

// RunOptions configure a run.
type RunOptions struct {
	// Workers is how many elements may be loading at once; 0 means 16. With
	// 1 everything happens in one goroutine, when its turn comes.
	Workers int

	// All tells that out takes all results. Then Workers may load from the
	// beginning, unless the query itself may have enough of what it generates.
	All bool

	// Memory is how many bytes the query may hold; 0 means 1 GiB.
	Memory int64

	// Now is the time of the document, in seconds since 1970; nil: the clock's.
	Now func() float64

	// Held tells how many bytes of the heap are not the query's but the
	// document's, bounded elsewhere; nil for none.
	Held func() int64

	// Input gives the values of input and inputs; false after the last. nil
	// refuses both.
	Input func() (any, bool, error)

	// InputLine is what input_line_number gives; nil for 0.
	InputLine func() int

	// InputName gives what input_filename is, a string or null for none; nil for
	// null.
	InputName func() any

	// Debug and Stderr are given the messages of debug and stderr; nil drops
	// them.
	Debug, Stderr func(any)

	// Note is given what natives and FieldHint have to say to the user.
	Note func(string)

	// Fault is told every fault that the query met, caught or not, in the
	// order in which evaluating one element after the other meets them:
	// never one that was met only by looking ahead. A part that is looked
	// into twice is told twice.
	Fault func(*mesh.Fault)

	// Finish is applied to each result, ahead of the consumer and to several
	// at once: it loads and encodes. What it gives goes to out, in order.
	Finish func(ctx context.Context, v any) (any, error)
}
