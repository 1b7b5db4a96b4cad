// Package process is the process around a run: its arguments, streams,
// environment, clock and signals, its temporary files, the files that a command
// line names, and its exit codes.
//
// Nothing below package plugin reads any of these itself; a test replaces them
// by a [World] of its own. The package doesn't know what a run does. Read
// [World] first.
package process
