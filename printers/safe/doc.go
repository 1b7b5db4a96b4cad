// Package safe escapes unsafe characters: those that move a terminal's cursor,
// end a line, or change or hide the text around them.
//
// Read [Writer] first: all output of the plugin is written through a Writer.
// The package doesn't depend on what is printed.
package safe
