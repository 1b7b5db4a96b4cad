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

	// Library contains jq definitions, which replace builtins with the same name and
	// arity. A definition can call itself and the definitions before it. An error in a
	// definition is reported at the position in the user's text that calls it.
	Library []*syntax.Program

	// Natives are functions written in Go. They too replace builtins with the same name
	// and arity.
	Natives []Native

	// Modules finds the modules for import and include. If it is nil, import and
	// include are errors.
	Modules ModuleLoader

	// Env is the value of $ENV and env. If it is nil, the value is an empty object.
	Env *object.Object

	// FieldHint returns a note for the user about a field that a kind of object doesn't
	// have, for example a spelling suggestion. It returns an empty string if there is
	// nothing to note. It is called only once for each field.
	FieldHint func(kind, field string) string
}

// ModuleLoader finds modules. Its methods receive the path in an import or include, and
// the member "search" of the import's metadata, or nil. Their last parameter is the value
// that Module returned for the location of the importing module, or nil if the query
// itself imports the module.
type ModuleLoader interface {
	Module(path string, search, from any) (p *syntax.Program, place any, err error)
	Data(path string, search, from any) (any, error)
}

// Native is a function written in Go that queries can call. Exactly one of Value and Each
// is set; Value returns exactly one result. Several goroutines may call these functions
// at once, also for results that are never used, so the functions must have no visible
// effects.
type Native struct {
	Name  string
	Arity int
	Value func(*Call) (any, error)
	Each  func(c *Call, yield func(any) error) error
}

// Call contains the input and the arguments of one call of a [Native].
type Call struct {
	Ctx  context.Context
	In   any          // the input, which can be lazy (not loaded yet)
	Args []any        // the arguments, which can be lazy (not loaded yet)
	Note func(string) // reports a note to the user, if the result of the call is used

	// Fault reports to the user a part of the document that can't be read. A native calls
	// it if its result lacks that part.
	Fault func(*mesh.Fault)
}

// RunOptions are the options of a run.
type RunOptions struct {
	// Workers is the maximum number of elements that load concurrently; 0 means 16.
	// With 1, everything happens sequentially in one goroutine.
	Workers int

	// All is set if the caller takes all results. Then all Workers may load from the
	// beginning, unless the query itself may stop one of its generators.
	All bool

	// Memory is the maximum number of bytes that the query may use; 0 means 1 GiB.
	Memory int64

	// Now returns the time from which ages are calculated, in seconds since 1970: the
	// time of the snapshot, or the start of the run. If it is nil, the current time is
	// used.
	Now func() float64

	// Held returns how many bytes of the heap belong to the document. They don't count
	// against the query's limit, because the document has a limit of its own. If Held is
	// nil, all bytes count.
	Held func() int64

	// Input returns the next value for input and inputs, and false after the
	// last one. If it is nil, input raises an error.
	Input func() (any, bool, error)

	// InputLine returns the result of input_line_number. If it is nil, the result is 0.
	InputLine func() int

	// InputName returns the result of input_filename: a string, or null if there is no
	// file. If InputName is nil, the result is null.
	InputName func() any

	// Debug and Stderr receive the messages of debug and stderr. If they are nil,
	// the messages are dropped.
	Debug, Stderr func(any)

	// Note receives notes for the user, from natives and from FieldHint.
	Note func(string)

	// Fault receives every failed load that the query encounters, whether the query
	// catches it or not. The order is that of a sequential evaluation. Loads that failed
	// only in work that ran ahead of the consumer are not included. If the query reads an
	// unavailable part twice, the failure is reported twice.
	Fault func(*mesh.Fault)

	// Finish loads and encodes each result. It runs before the result's turn to be passed
	// to out, and for several results at once. The values that it returns are passed to
	// out, in order.
	Finish func(ctx context.Context, v any) (any, error)
}
