// Package run runs one query: it opens the sources of a mesh, compiles the query,
// evaluates it, prints the results and the faults, and decides the exit code. It
// repeats this for --watch and for the command wait.
//
// It knows the flags, but not the commands: each command creates a [Run] and calls
// it. It knows nothing about Envoy or Istio, and leaves the evaluation to package
// query. Read run.go first.
package run
