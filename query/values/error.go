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

// Error is an error that a running query raised and didn't catch.
type Error struct {
	Err     error           // the cause; its text is that of jq's error, and try … catch yields it
	Span    syntax.Span     // position of the innermost part of the user's query that raised the error
	Program *syntax.Program // the program that contains Span; nil if the position is unknown
	Element string          // id of the proxy that was being evaluated; empty if there was none
}

// Error returns the text of the cause. If a proxy was being evaluated, the text begins
// with the proxy's id.
func (e *Error) Error() string {
	var f *mesh.Fault
	if e.Element == "" || errors.As(e.Err, &f) {
		return e.Err.Error()
	}
	return e.Element + ": " + e.Err.Error()
}

// Unwrap returns the cause of the error.
func (e *Error) Unwrap() error { return e.Err }

// Place converts the error to a syntax.Error, which is printed with a caret under its
// position in the query. It returns nil if the position is unknown.
func (e *Error) Place() *syntax.Error {
	if e.Program == nil {
		return nil
	}
	return &syntax.Error{Span: e.Span, File: e.Program.File, Src: e.Program.Src, Msg: e.Error()}
}

// Halt is the error with which the builtins halt and halt_error end a run.
type Halt struct {
	Value    any // value to print on stderr
	Code     int // exit code of the process
	HasValue bool
}

// Error returns a text that includes the value.
func (h *Halt) Error() string {
	if s, ok := h.Value.(string); ok {
		return "halt error: " + s
	}
	return "halt error: " + native.Marshal(h.Value)
}

// LimitError is the error of a query that exceeds a limit, for example the memory limit.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return e.What }

// TextError is an error with a fixed text.
type TextError string

func (e TextError) Error() string { return string(e) }

// ValueError is the error that the builtin error(v) raises. All parts of V are loaded.
type ValueError struct{ V any }

func (e *ValueError) Error() string {
	if s, ok := e.V.(string); ok {
		return "error: " + s
	}
	return "error: " + native.Marshal(e.V)
}

// Value returns the value that try … catch yields for this error.
func (e *ValueError) Value() any { return e.V }

// BreakError is raised by the expression break. It ends the evaluation of everything
// inside the expression that has this label.
type BreakError struct{ Label *byte }

func (*BreakError) Error() string { return "break" }

// ErrStop ends a generator early. A consumer that needs no more results returns it to the
// generator, which must return it unchanged. The code that started the generator then
// ignores it.
var ErrStop = errors.New("stop")

// Downstream wraps an error that came from the consumer of a query part's results. The
// part must not catch the error like one of its own errors, but return it to its caller.
type Downstream struct{ Err error }

func (d *Downstream) Error() string { return d.Err.Error() }
func (d *Downstream) Unwrap() error { return d.Err }

// StripDownstream removes all Downstream wrappers from an error.
func StripDownstream(err error) error {
	for d, ok := err.(*Downstream); ok; d, ok = err.(*Downstream) {
		err = d.Err
	}
	return err
}

// ConsumerError is an error of the function that receives the query's results, such as a
// failed write. The query can't catch it, regardless of which error it wraps.
type ConsumerError struct{ Err error }

func (e *ConsumerError) Error() string { return e.Err.Error() }

// IsUncatchable reports whether try and similar expressions must not catch an error.
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

// Caught returns the value that try … catch yields for an error.
func Caught(err error) any {
	if p, ok := err.(*Error); ok {
		err = p.Err
	}
	if v, ok := err.(native.ValueError); ok {
		return v.Value()
	}
	return err.Error()
}

// AsFault returns the [mesh.Fault] in err's chain of wrapped errors, or nil. A fault
// describes a failed load.
func AsFault(err error) *mesh.Fault {
	var f *mesh.Fault
	if err != nil && errors.As(err, &f) {
		return f
	}
	return nil
}

// NameProxy adds the id of a proxy to an error that was raised while v was evaluated. The
// proxy is v itself, or the proxy that v belongs to.
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

// ProxyID returns the id of a proxy. It returns an empty string if the id isn't known
// before the proxy is loaded.
func ProxyID(o *mesh.Object) string {
	fields, _ := o.Forced()
	m, _ := fields.(*object.Object)
	id, _ := m.Get("id").(string)
	return id
}

// Panic passes a panic of a worker goroutine to the goroutine that called Run. That
// goroutine panics again after all workers have stopped, so that the caller of Run can
// recover.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// The functions below return errors with the texts of jq 1.8.2, because a query may catch
// an error and compare its text.

// A LazyError computes its text on demand. Computing the text loads no value.
type LazyError struct{ Text func() string }

func (e *LazyError) Error() string { return e.Text() }

// Cannot returns an error about one value, such as "number (1) has no keys". The second
// argument is the last part of the text, here "has no keys".
func Cannot(v any, says string) error {
	return &LazyError{func() string { return preview(v) + " " + says }}
}

// CannotBoth returns an error about two values, such as "number (1) and null (null)
// cannot be added". The last argument is the last part of the text, here "cannot be
// added".
func CannotBoth(a, b any, says string) error {
	return &LazyError{func() string { return preview(a) + " and " + preview(b) + " " + says }}
}

// CannotIndex returns the error of v[k] for a value v that can't be indexed with k.
func CannotIndex(v, k any) error {
	return &LazyError{func() string { return "Cannot index " + KnownType(v) + " with " + preview(k) }}
}

// CannotIterate returns the error of v[] for a value v that is neither an array nor an
// object.
func CannotIterate(v any) error {
	return &LazyError{func() string { return "Cannot iterate over " + preview(v) }}
}

// NotAKey returns the error for an object key that isn't a string.
func NotAKey(k any) error {
	return &LazyError{func() string { return "Cannot use " + preview(k) + " as object key" }}
}

// KnownType returns the name of a value's type. It loads nothing, so it returns "{…}" if
// the type isn't known before the value is loaded.
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

// IsGojqError reports whether err is an error of the gojq library whose text differs from
// the text of jq's error.
func IsGojqError(err error) bool {
	var e *native.Error
	return errors.As(err, &e)
}

// Inapplicable returns the error of an arithmetic operation on two values that don't
// support it.
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

// NumberRequired is the last part of the error text for a mathematical function whose
// input isn't a number.
const NumberRequired = "number required"

// misplaced returns the error for an update or a deletion at a path whose first key
// doesn't fit the type of v. n is the new value, or a value of type gone for a deletion.
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

// ErrTail requests a tail call. A function returns it instead of making a call as its
// last step. Its caller then makes the call, whose data are stored in the evaluator. So
// tail recursion needs no stack.
var ErrTail = errors.New("tail call")
