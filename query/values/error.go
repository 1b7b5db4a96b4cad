package values

import (
	"context"
	"errors"
	"fmt"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
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

// TextError is a message that names no value, or has it in.
type TextError string

func (e TextError) Error() string { return string(e) }

// ValueError is what error(v) raises; v is plain.
type ValueError struct{ V any }

func (e *ValueError) Error() string {
	if s, ok := e.V.(string); ok {
		return "error: " + s
	}
	return "error: " + native.Marshal(e.V)
}

// Value is what try … catch sees.
func (e *ValueError) Value() any { return e.V }

// BreakError is a break on its way to its label.
type BreakError struct{ Label *byte }

func (*BreakError) Error() string { return "break" }

// ErrStop ends a generator whose consumer has enough. Who sends it stops it.
var ErrStop = errors.New("stop")

// Downstream is an error of what follows a node, on its way up through it: whoever
// catches the node's own errors lets it pass.
type Downstream struct{ Err error }

func (d *Downstream) Error() string { return d.Err.Error() }
func (d *Downstream) Unwrap() error { return d.Err }

// StripDownstream gives the error itself.
func StripDownstream(err error) error {
	for d, ok := err.(*Downstream); ok; d, ok = err.(*Downstream) {
		err = d.Err
	}
	return err
}

// ConsumerError is an error of the consumer of the results. It is nobody's in the
// query, whatever it wraps.
type ConsumerError struct{ Err error }

func (e *ConsumerError) Error() string { return e.Err.Error() }

// IsUncatchable tells whether try and its like have to let an error pass.
func IsUncatchable(err error) bool {
	if p, ok := err.(*Error); ok {
		err = p.Err
	}
	switch err.(type) {
	case *BreakError, *Halt, *native.Halt, *LimitError, *Downstream, *ConsumerError, *Panic:
		return true
	}
	switch err {
	case ErrStop, ErrDepth, ErrTail:
		return true
	}
	return AsFault(err) == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// Caught is the value that try … catch sees of an error.
func Caught(err error) any {
	if p, ok := err.(*Error); ok {
		err = p.Err
	}
	if v, ok := err.(native.ValueError); ok {
		return v.Value()
	}
	return err.Error()
}

// AsFault gives the fault that an error is or wraps.
func AsFault(err error) *mesh.Fault {
	var f *mesh.Fault
	if err != nil && errors.As(err, &f) {
		return f
	}
	return nil
}

// NameProxy adds the proxy to an error that was raised over v: the proxy that v
// is, or is a part of.
func NameProxy(err error, v any) error {
	e, ok := err.(*Error)
	o, isObject := v.(*mesh.Object)
	if !ok || e.Element != "" || !isObject || o == nil {
		return err
	}
	if o.Kind != "Proxy" {
		return NameProxy(err, o.Owner)
	}
	if id := ProxyID(o); id != "" {
		named := *e
		named.Element = id
		return &named
	}
	return err
}

// ProxyID returns the id of a proxy; empty where it isn't known without loading
// the proxy.
func ProxyID(o *mesh.Object) string {
	fields, _ := o.Forced()
	m, _ := fields.(*object.Object)
	id, _ := m.Get("id").(string)
	return id
}

// Panic is a panic in a goroutine that ran ahead, on its way to the one that
// called Run: it goes on there, once everything is stopped, where a caller can
// still do something about it.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// The errors of jq 1.8.2, in its words: a query may catch them and compare.

// A LazyError makes its text only when somebody asks for it, and without
// loading anything.
type LazyError struct{ Text func() string }

func (e *LazyError) Error() string { return e.Text() }

// Cannot says of one value what is wrong with it: "number (1) has no keys".
func Cannot(v any, says string) error {
	return &LazyError{func() string { return preview(v) + " " + says }}
}

// CannotBoth says of two values what can't be done with them.
func CannotBoth(a, b any, says string) error {
	return &LazyError{func() string { return preview(a) + " and " + preview(b) + " " + says }}
}

// CannotIndex is v[k] where there can be no such thing.
func CannotIndex(v, k any) error {
	return &LazyError{func() string { return "Cannot index " + KnownType(v) + " with " + preview(k) }}
}

// CannotIterate is v[] of what is no container.
func CannotIterate(v any) error {
	return &LazyError{func() string { return "Cannot iterate over " + preview(v) }}
}

// NotAKey says that a value can't be the key of an object.
func NotAKey(k any) error {
	return &LazyError{func() string { return "Cannot use " + preview(k) + " as object key" }}
}

// KnownType names the type of a value as far as it is known without loading it.
func KnownType(v any) string {
	v = Peek(v)
	switch v.(type) {
	case *mesh.Object:
		return "object"
	case mesh.Lazy:
		return string(unseen)
	}
	return native.TypeOf(v)
}

// IsGojqError tells whether an error of gojq's is one that jq has other words for.
func IsGojqError(err error) bool {
	var e *native.Error
	return errors.As(err, &e)
}

// Inapplicable says why two values have no sum, difference and so on.
func Inapplicable(op syntax.Operator, a, b any) error {
	verb := map[syntax.Operator]string{
		syntax.OpAdd: "added", syntax.OpSub: "subtracted", syntax.OpMul: "multiplied", syntax.OpDiv: "divided", syntax.OpMod: "divided (remainder)",
	}[op]
	_, ok1 := native.ToFloat(a)
	_, ok2 := native.ToFloat(b)
	switch {
	case ok1 && ok2:
		verb += " because the divisor is zero"
	case op == syntax.OpMul && (ok1 && KnownType(b) == "string" || ok2 && KnownType(a) == "string"):
		return TextError("Repeat string result too long")
	}
	return CannotBoth(a, b, "cannot be "+verb)
}

// NumberRequired is what jq's mathematics say of what is no number.
const NumberRequired = "number required"

// misplaced is what is wrong with the first step of a path into v, for n to be
// put there or, when it is gone, to be deleted.
func misplaced(v any, path []any, n any) error {
	k := path[0]
	switch v.(type) {
	case []any:
		if _, ok := k.([]any); !ok {
			break
		}
		if deletes(n) {
			return TextError("Cannot delete array element of array")
		}
		return TextError("Cannot update field at array index of array")
	case string:
		if slice, ok := k.(*object.Object); ok && !deletes(n) {
			if _, _, err := edges(0, slice); err != nil {
				return err
			}
			return TextError("Cannot update string slices")
		}
	}
	if !deletes(n) || len(path) > 1 {
		return CannotIndex(v, k)
	}
	switch v.(type) {
	case []any:
		return TextError("Cannot delete " + native.TypeOf(k) + " element of array")
	case *object.Object:
		return TextError("Cannot delete " + native.TypeOf(k) + " field of object")
	}
	return TextError("Cannot delete fields from " + native.TypeOf(v))
}

// ErrTail is how the last call of a function that is being evaluated asks to
// be made in its place, so that such recursion needs no stack. The call waits
// in the machine.
var ErrTail = errors.New("tail call")
