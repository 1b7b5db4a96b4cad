package syntax

import (
	"fmt"
)

// Error is a syntax error at a position in a source. Two errors are equal if all their
// fields are equal.
type Error struct {
	Span        // position in the source; empty if the error is directly after the previous token
	File string // name of the file; empty for the query on the command line
	Src  string
	Msg  string // message on one line, without the position
}

// Error returns the position and the message, such as "query:2:28: function not defined:
// clustr/1, did you mean cluster/1?". For a file, the text begins with the file's name
// instead of "query".
func (e *Error) Error() string {
	line, col := lineCol(e.Src, e.Start)
	name := e.File
	if name == "" {
		name = "query"
	}
	return fmt.Sprintf("%s:%d:%d: %s", name, line, col, e.Msg)
}

// Caret returns the text of Error, followed by the line of the source with carets
// under the position. It ends without a newline. It shortens a long line around
// the position and writes "…" for each removed part. It replaces tabs, control
// characters and invalid UTF-8, so that the lines are aligned in any terminal.
func (e *Error) Caret() string {
	text, carets := window(e.Src, e.Span)
	return e.Error() + "\n    " + text + "\n    " + carets
}
