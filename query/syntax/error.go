package syntax

import (
	"fmt"
)

// Error is an error in a source with its position. Two errors are equal if all
// their fields are.
type Error struct {
	Span        // empty if the error is directly after the previous token
	File string // empty for the query on the command line
	Src  string
	Msg  string // one line, without the position
}

// Error returns the position and the message: "query:2:28: function not
// defined: clustr/1, did you mean cluster/1?". It uses the file's name instead
// of "query" if there is one.
func (e *Error) Error() string {
	line, col := lineCol(e.Src, e.Start)
	name := e.File
	if name == "" {
		name = "query"
	}
	return fmt.Sprintf("%s:%d:%d: %s", name, line, col, e.Msg)
}

// Caret returns the text of Error, and below it the line of the source with
// carets under the position, without a final newline. It cuts a long line
// around the position and writes "…" for each removed part. It replaces tabs,
// control characters and invalid UTF-8, so that the lines stay aligned in any
// terminal.
func (e *Error) Caret() string {
	text, carets := window(e.Src, e.Span)
	return e.Error() + "\n    " + text + "\n    " + carets
}
