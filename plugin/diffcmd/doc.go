// Package diffcmd is the command diff. It compares the configuration of each proxy
// with the one that istiod would send, or with another mesh. It shows the
// differences as a unified diff, as a JSON Patch, as results, or with an external
// program.
//
// Package query/diff finds the differences; this package opens the two sides and
// prints the differences. Read command.go first.
package diffcmd
