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

	// Library are programs of definitions, which hide builtins of the same name
	// and arity. A definition sees itself and those before it. An error in one
	// of them is reported at the place where the user's text calls it.
	Library []*syntax.Program

	// Natives are functions written in Go. They hide builtins too.
	Natives []Native

	// Modules finds what import and include name. If it is nil, they are errors.
	Modules ModuleLoader

	// Env is what $ENV and env are; nil for an empty object.
	Env *object.Object

	// FieldHint returns a note for the user on a field that a kind does not
	// have; empty if there is none. It is called once for each field.
	FieldHint func(kind, field string) string
}

// ModuleLoader finds modules by the path of an import or include and the
// "search" of its metadata, which is nil if there is none. From is the place
// that Module returned for the importing module; nil for the program itself.
type ModuleLoader interface {
	Module(path string, search, from any) (p *syntax.Program, place any, err error)
	Data(path string, search, from any) (any, error)
}

// Native is a function written in Go. Exactly one of Value, which returns one
// result, and Each is set. Both may be called by several goroutines at once, and
// ahead of the consumer: they must have no effects that can be observed.
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
	In   any          // the input; it may be lazy
	Args []any        // they may be lazy
	Note func(string) // reports a note to the user when the result is used

	// Fault reports to the user a part of the document that can't be read, if
	// the native returns a result without it.
	Fault func(*mesh.Fault)
}

// RunOptions configure a run.
type RunOptions struct {
	// Workers is how many elements may be loading at once; 0 means 16. With 1,
	// everything happens in one goroutine, in order.
	Workers int

	// All says that out takes all results. Then all Workers may load from the
	// beginning, unless the query itself may stop one of its generators.
	All bool

	// Memory is how many bytes the query may hold; 0 means 1 GiB.
	Memory int64

	// Now returns the time of the document, in seconds since 1970; nil means the
	// time of the clock.
	Now func() float64

	// Held returns how many bytes of the heap belong to the document, which has
	// its own limit, and not to the query; nil means none.
	Held func() int64

	// Input returns the next value for input and inputs, and false after the
	// last one. If it is nil, input raises an error.
	Input func() (any, bool, error)

	// InputLine returns the result of input_line_number; nil means 0.
	InputLine func() int

	// InputName returns the result of input_filename: a string, or null if there
	// is no file. Nil means null.
	InputName func() any

	// Debug and Stderr receive the messages of debug and stderr; nil drops them.
	Debug, Stderr func(any)

	// Note receives the notes of natives and of FieldHint for the user.
	Note func(string)

	// Fault receives every fault that the query met, caught or not, in the order
	// in which evaluating one element after the other meets them; faults that
	// were met only ahead of the consumer are left out. A part that is read
	// twice is reported twice.
	Fault func(*mesh.Fault)

	// Finish is applied to each result, ahead of the consumer and to several
	// results at once: it loads and encodes. Its results go to out, in order.
	Finish func(ctx context.Context, v any) (any, error)
}
