// Package run runs one query: it opens the sources of a mesh, compiles the query,
// evaluates it, prints the results and the faults, and decides the exit code. It
// repeats this for --watch and for the command wait.
//
// The package interprets the flags, but contains no commands: each command creates
// a [Run] and calls its methods. It contains nothing about Envoy or Istio, and
// leaves the evaluation to package query. Read run.go first.
package run
