package syntax

import (
	"fmt"
)

// Error is what is wrong with a source, and where. Two of them are equal when
// they say the same about the same place.
type Error struct {
	Span        // may be empty: right behind what stands before it
	File string // empty for the query on the command line
	Src  string
	Msg  string // one line, without the place
}

// Error gives the place and the message: "query:2:28: function not defined:
// clustr/1, did you mean cluster/1?", with the file's name in place of "query"
// when there is one.
func (e *Error) Error() string {
	line, col := lineCol(e.Src, e.Start)
	name := e.File
	if name == "" {
		name = "query"
	}
	return fmt.Sprintf("%s:%d:%d: %s", name, line, col, e.Msg)
}

// Caret gives Error, and under it the line of the source with carets under
// what it is about; no newline at the end. A long line is cut around the
// place, "…" stands where it was. Tabs, control characters and what is not
// UTF-8 are replaced, so that any terminal keeps the lines aligned.
func (e *Error) Caret() string {
	text, carets := window(e.Src, e.Span)
	return e.Error() + "\n    " + text + "\n    " + carets
}
