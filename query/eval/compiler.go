package eval

import (
	"fmt"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// compiler turns a tree into nodes. What a name means is decided here: while
// the query runs nothing is looked up by name.
type compiler struct {
	opts    *Options
	unit    *unit // whose text is being compiled
	visible int   // how many of its definitions are
	natives map[string]maker
	texts   map[string]string // of the prelude
	prelude *unit
	library []*unit
	impure  bool // something reads inputs or writes messages: one goroutine, no looking ahead
	stops   bool // something may have enough before its generator ends
	nodes   int  // compiled so far
	guesses int  // definitions under way that are taken to give one result
}

// builtin makes the node of a call of a function that is written in Go.
type maker = func(c *compiler, f *syntax.Func, s *scope) *node

// compileError is how the compiler leaves; Compile gives err back.
type compileError struct{ err error }

// fail ends the compilation with an error at a place.
func (c *compiler) fail(at syntax.Span, format string, args ...any) {
	p := c.unit.prog
	panic(compileError{&syntax.Error{Span: at, File: p.File, Src: p.Src, Msg: fmt.Sprintf(format, args...)}})
}

// mark is the place that errors of what is compiled now are said to be at;
// nil inside functions whose text is not the user's.
func (c *compiler) mark(at syntax.Span) *place {
	if c.unit.hidden || at.End == 0 {
		return nil
	}
	return &place{span: at, prog: c.unit.prog}
}
