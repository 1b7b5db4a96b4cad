package decode

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A SyntaxError reports the offset at which a document stops being valid JSON.
type SyntaxError struct {
	Offset int64 // offset of the first wrong byte in the document, counted from 0
	Msg    string
}

// Error returns a message like "unexpected end of JSON at byte 1234".
func (e *SyntaxError) Error() string { return e.Msg + " at byte " + strconv.FormatInt(e.Offset, 10) }

// A LimitError reports which of the [Limits] a document exceeded, and at which
// offset.
type LimitError struct {
	Offset int64
	What   string // the exceeded limit: "document", "string", "number", "nesting" or "search for @type"
	Limit  int64
}

// Error returns a message like "string longer than 67108864 bytes at byte 1234".
func (e *LimitError) Error() string {
	switch e.What {
	case "nesting":
		return fmt.Sprintf("nesting deeper than %d levels at byte %d", e.Limit, e.Offset)
	case "search for @type":
		return fmt.Sprintf("more than %d searches for @type over the same bytes at byte %d", e.Limit, e.Offset)
	}
	return fmt.Sprintf("%s longer than %d bytes at byte %d", e.What, e.Limit, e.Offset)
}

// namedError is an error whose message begins with the document's name.
type namedError struct {
	name string
	err  error
}

func (e *namedError) Error() string { return e.name + ": " + e.err.Error() }
func (e *namedError) Unwrap() error { return e.err }

// Named puts the document's name in front of an error from one of its passes. It
// returns an error unchanged if that already contains the name, if it is the
// context's error, or if the document has no name.
func (d *Document) Named(err error) error {
	var already *namedError
	if err == nil || d.Name == "" || isContextError(err) || errors.As(err, &already) {
		return err
	}
	return &namedError{d.Name, err}
}

// fault converts an error of decoding a value to a fault of the document's
// proxy.
func (d *Document) fault(err error) error {
	if isContextError(err) {
		return err
	}
	return &mesh.Fault{Proxy: d.Proxy, Err: d.Named(err)}
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
