package decode

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A SyntaxError says where the bytes stop being JSON.
type SyntaxError struct {
	Offset int64 // in the document, from 0
	Msg    string
}

// Error is like "unexpected end of JSON at byte 1234".
func (e *SyntaxError) Error() string { return e.Msg + " at byte " + strconv.FormatInt(e.Offset, 10) }

// A LimitError says which of the [Limits] a document went over, and where.
type LimitError struct {
	Offset int64
	What   string // "document", "string", "number", "nesting", "search for @type"
	Limit  int64
}

// Error is like "string longer than 67108864 bytes at byte 1234".
func (e *LimitError) Error() string {
	switch e.What {
	case "nesting":
		return fmt.Sprintf("nesting deeper than %d levels at byte %d", e.Limit, e.Offset)
	case "search for @type":
		return fmt.Sprintf("more than %d searches for @type over the same bytes at byte %d", e.Limit, e.Offset)
	}
	return fmt.Sprintf("%s longer than %d bytes at byte %d", e.What, e.Limit, e.Offset)
}

// named is an error with a document's name in front.
type named struct {
	name string
	err  error
}

func (e *named) Error() string { return e.name + ": " + e.err.Error() }
func (e *named) Unwrap() error { return e.err }

// Named puts the document's name in front of an error of one of its passes.
// An error that has it already, the context's, nil, and any error when there
// is no name are given back as they are.
func (d *Document) Named(err error) error {
	var already *named
	if err == nil || d.Name == "" || ended(err) || errors.As(err, &already) {
		return err
	}
	return &named{d.Name, err}
}

// fault makes the error of a touched value.
func (d *Document) fault(err error) error {
	if ended(err) {
		return err
	}
	return &mesh.Fault{Proxy: d.Proxy, Err: d.Named(err)}
}

func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
