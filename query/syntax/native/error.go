package native

import (
	"github.com/itchyny/gojq"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// ValueError is an error with a value that try catches in place of its words.
type ValueError interface {
	error
	Value() any
}

// Halt ends the whole run: halt, or halt_error with its value.
type Halt struct {
	Value any
	Code  int
}

// Error says that the run was ended, and with what.
func (h *Halt) Error() string {
	if s, ok := h.Value.(string); ok {
		return "halt error: " + s
	}
	return "halt error: " + Marshal(h.Value)
}

// An Error is what a function of gojq raised. Its words are gojq's.
type Error struct{ text string }

func (e *Error) Error() string { return e.text }

// raised is an error with a value.
type raised struct {
	text  string
	value any
}

func (e *raised) Error() string { return e.text }
func (e *raised) Value() any    { return e.value }

// carried makes an error of gojq's one of ours.
func carried(err error) error {
	switch e := err.(type) {
	case *gojq.HaltError:
		return &Halt{Value: object.FromPlain(e.Value()), Code: e.ExitCode()}
	case gojq.ValueError:
		return &raised{err.Error(), object.FromPlain(e.Value())}
	}
	return &Error{err.Error()}
}
