// Package shell knows the shells that completion works in: how bash and zsh
// split and quote a command line, the scripts for each shell, and the link by
// which kubectl finds the completion of a plugin.
//
// It doesn't know what can be completed; package plugin does. Read [Words]
// first. The words of a line are read here since a shell has nothing completed
// while a quote is open, and queries stand in quotes.
package shell
