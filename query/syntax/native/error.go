package native

import (
	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// ValueError is an error that contains a value, such as that of error(v). try … catch
// yields this value instead of the error's text.
type ValueError interface {
	error
	Value() any
}

// Halt is the error with which the builtins halt and halt_error end the whole run. It
// contains the argument of halt_error.
type Halt struct {
	Value any
	Code  int
}

// Error returns the text of the error, including the value.
func (h *Halt) Error() string {
	if s, ok := h.Value.(string); ok {
		return "halt error: " + s
	}
	return "halt error: " + Marshal(h.Value)
}

// Error is an error of a gojq function. Its text is gojq's.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

// raised implements ValueError.
type raised struct {
	text  string
	value any
}

func (e *raised) Error() string { return e.text }
func (e *raised) Value() any    { return e.value }

// carried converts an error of the gojq library to an error type of this package.
func carried(err error) error {
	switch e := err.(type) {
	case *gojq.HaltError:
		return &Halt{Value: object.FromPlain(e.Value()), Code: e.ExitCode()}
	case gojq.ValueError:
		return &raised{err.Error(), object.FromPlain(e.Value())}
	}
	return &Error{err.Error()}
}
