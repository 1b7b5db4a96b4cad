// Package shell supports completion in shells. It splits and quotes command lines
// as bash and zsh do, prints a completion script for each shell, and creates the
// link that lets kubectl complete the plugin.
//
// Package plugin decides what can be completed. Read [ShellWords] first. Package
// shell splits the command line itself, because queries are written in quotes, and
// bash and zsh don't complete a word while a quote is open.
package shell
