// Package safe escapes unsafe characters: those that move a terminal's cursor,
// end a line, or change or hide the text around them.
//
// Read [Writer] first: all output of the plugin passes through one. The package
// knows nothing about what is printed.
package safe
