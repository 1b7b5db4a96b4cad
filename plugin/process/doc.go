// Package process represents the operating system process in which a run takes
// place: its arguments, streams, environment, clock and signals, its temporary
// files, the files that a command line names, and its exit codes.
//
// The packages below plugin use these only through a [World], so that tests can
// replace them. Package process contains nothing about queries or meshes. Read
// [World] first.
package process
