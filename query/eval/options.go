package eval

import (
	"context"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Options are the options of Compile.
type Options struct {
	// Variables are the names, such as "$name", of the variables whose values are
	// passed to Run.
	Variables []string

	// Library contains programs of definitions. The definitions replace builtins of
	// the same name and arity. A definition can call itself and those before it. An
	// error in a definition is reported at the position where the user's text calls
	// it.
	Library []*syntax.Program

	// Natives are functions written in Go. They also replace builtins.
	Natives []Native

	// Modules finds the modules for import and include. If it is nil, import and
	// include are errors.
	Modules ModuleLoader

	// Env is the value of $ENV and env. Nil means an empty object.
	Env *object.Object

	// FieldHint returns a note for the user about a field that a kind does not
	// have. It returns an empty string if there is nothing to note. It is called
	// once for each field.
	FieldHint func(kind, field string) string
}

// ModuleLoader finds modules by the path in an import or include, and by the member
// "search" of its metadata, which is nil if there is none. from is the value that
// Module returned for the location of the importing module; it is nil for the
// program itself.
type ModuleLoader interface {
	Module(path string, search, from any) (p *syntax.Program, place any, err error)
	Data(path string, search, from any) (any, error)
}

// Native is a function written in Go. Exactly one of Value and Each is set; Value
// returns one result. Several goroutines may call these functions at once, possibly
// ahead of the consumer, so the functions must have no visible effects.
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
	In   any          // the input, which may be lazy
	Args []any        // the arguments, which may be lazy
	Note func(string) // reports a note to the user if the result is used

	// Fault reports to the user a part of the document that can't be read. A native
	// calls it if it returns a result without that part.
	Fault func(*mesh.Fault)
}

// RunOptions are the options of a run.
type RunOptions struct {
	// Workers is the maximum number of elements that load concurrently; 0 means 16.
	// With 1, everything happens sequentially in one goroutine.
	Workers int

	// All means that out takes all results. Then all Workers may load from the
	// beginning, unless the query itself may stop one of its generators.
	All bool

	// Memory is the maximum number of bytes that the query may use; 0 means 1 GiB.
	Memory int64

	// Now returns the time of the document, in seconds since 1970. Nil means the
	// current time.
	Now func() float64

	// Held returns how many bytes of the heap belong to the document. They don't
	// count against the query's limit, because the document has its own. Nil means
	// none.
	Held func() int64

	// Input returns the next value for input and inputs, and false after the
	// last one. If it is nil, input raises an error.
	Input func() (any, bool, error)

	// InputLine returns the result of input_line_number. Nil means 0.
	InputLine func() int

	// InputName returns the result of input_filename: a string, or null if there is
	// no file. A nil function means null.
	InputName func() any

	// Debug and Stderr receive the messages of debug and stderr. If they are nil,
	// the messages are dropped.
	Debug, Stderr func(any)

	// Note receives the notes for the user from natives and from FieldHint.
	Note func(string)

	// Fault receives every fault that the query encounters, whether the query
	// catches it or not. The order is that of a sequential evaluation. Faults that
	// occur only in work ahead of the consumer are not included. If the query reads
	// an unavailable part twice, the fault is reported twice.
	Fault func(*mesh.Fault)

	// Finish is applied to each result, ahead of the consumer and to several
	// results at once. It loads and encodes the result. Its results are passed to
	// out, in order.
	Finish func(ctx context.Context, v any) (any, error)
}
