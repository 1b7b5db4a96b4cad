// Package diffcmd is the command diff: it compares what each proxy holds with
// what its Pilot would send, or with another mesh, and shows the differences as
// a unified diff, as a JSON Patch, as results, or by an external program.
//
// Package query/diff finds the differences; this package opens what is compared
// and shows what is found. Read command.go first.
package diffcmd
