// Package safe escapes characters that may act where a text is shown or read:
// that move a terminal's cursor, end a line, or change or hide the text around
// them.
//
// Read [Writer] first: everything the plugin prints goes through one. It knows
// nothing of what is printed.
package safe
