package eval

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Error is what a query raised while it ran and did not catch.
type Error struct {
	Err     error           // the fact; its text is what try … catch sees, in jq's words
	Span    syntax.Span     // where in Program it was raised: the innermost place in the user's own text
	Program *syntax.Program // nil when there is no such place
	Element string          // the id of the proxy that was being worked on; empty outside of one
}

// Error states the fact, with the proxy in front where there is one.
func (e *Error) Error() string {
	var f *mesh.Fault
	if e.Element == "" || errors.As(e.Err, &f) {
		return e.Err.Error()
	}
	return e.Element + ": " + e.Err.Error()
}

// Unwrap gives the fact.
func (e *Error) Unwrap() error { return e.Err }

// Place gives the error as one in the text of a program, to be shown with a
// caret under it; nil where there is no such place.
func (e *Error) Place() *syntax.Error {
	if e.Program == nil {
		return nil
	}
	return &syntax.Error{Span: e.Span, File: e.Program.File, Src: e.Program.Src, Msg: e.Error()}
}

// Halt is how halt and halt_error end a run.
type Halt struct {
	Value    any // to be printed on stderr
	Code     int // the exit code
	HasValue bool
}

// Error says that the run was ended, with what.
func (h *Halt) Error() string {
	if s, ok := h.Value.(string); ok {
		return "halt error: " + s
	}
	return "halt error: " + native.Marshal(h.Value)
}

// LimitError says that the query wants more of something than it may have.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return e.What }

// plainError is a message that names no value, or has it in.
type plainError string

func (e plainError) Error() string { return string(e) }

// valueError is what error(v) raises; v is plain.
type valueError struct{ v any }

func (e *valueError) Error() string {
	if s, ok := e.v.(string); ok {
		return "error: " + s
	}
	return "error: " + native.Marshal(e.v)
}

// Value is what try … catch sees.
func (e *valueError) Value() any { return e.v }

// breakError is a break on its way to its label.
type breakError struct{ label *byte }

func (*breakError) Error() string { return "break" }

// errStop ends a generator whose consumer has enough. Who sends it stops it.
var errStop = errors.New("stop")

// down is an error of what follows a node, on its way up through it: whoever
// catches the node's own errors lets it pass.
type down struct{ err error }

func (d *down) Error() string { return d.err.Error() }
func (d *down) Unwrap() error { return d.err }

// undown gives the error itself.
func undown(err error) error {
	for d, ok := err.(*down); ok; d, ok = err.(*down) {
		err = d.err
	}
	return err
}

// outError is an error of the consumer of the results. It is nobody's in the
// query, whatever it wraps.
type outError struct{ err error }

func (e *outError) Error() string { return e.err.Error() }

// fatal tells whether try and its like have to let an error pass.
func fatal(err error) bool {
	if p, ok := err.(*Error); ok {
		err = p.Err
	}
	switch err.(type) {
	case *breakError, *Halt, *native.Halt, *LimitError, *down, *outError, *panicked:
		return true
	}
	switch err {
	case errStop, errDepth, errTail:
		return true
	}
	return asFault(err) == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// caught is the value that try … catch sees of an error.
func caught(err error) any {
	if p, ok := err.(*Error); ok {
		err = p.Err
	}
	if v, ok := err.(native.ValueError); ok {
		return v.Value()
	}
	return err.Error()
}

// place is where in the user's text something stands.
type place struct {
	span syntax.Span
	prog *syntax.Program
}

// of gives the error its place, unless it has one, or is no error of the
// query's. A nil place leaves it as it is.
func (p *place) of(err error) error {
	if p == nil || err == nil {
		return err
	}
	switch err.(type) {
	case *Error, *down, *outError, *breakError, *Halt, *native.Halt, *panicked:
		return err
	}
	if err == errStop || err == errTail || asFault(err) == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return err
	}
	return &Error{Err: err, Span: p.span, Program: p.prog}
}

// placed gives a node's errors the place.
func (p *place) placed(n *node) *node {
	if p == nil {
		return n
	}
	if f := n.one; f != nil {
		return one(func(m *mach, e *env, in pv) (pv, error) {
			v, err := f(m, e, in)
			if err != nil {
				err = p.of(err)
			}
			return v, err
		})
	}
	f := n.gen
	return &node{multi: n.multi, wants: n.wants, gen: func(m *mach, e *env, in pv, y yield) error {
		if err := f(m, e, in, y); err != nil {
			return p.of(err)
		}
		return nil
	}}
}

// asFault gives the fault that an error is or wraps.
func asFault(err error) *mesh.Fault {
	var f *mesh.Fault
	if err != nil && errors.As(err, &f) {
		return f
	}
	return nil
}
