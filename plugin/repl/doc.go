// Package repl is the loop of the command shell: it reads lines, with completion,
// hints and history on a terminal, and passes them to functions that run and
// complete them.
//
// The line editor is github.com/reeflective/readline (Apache-2.0, pure Go; the
// only other module that it adds is uniseg). It has what the shell needs and the
// other kept libraries lack: candidates with descriptions, hints below the line,
// and multi-line editing. It is created only when the shell runs. The package
// knows neither the mesh nor the query language. Read loop.go first.
package repl
