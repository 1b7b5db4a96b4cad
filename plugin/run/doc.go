// Package run runs one query: it opens the sources of a mesh, compiles the
// query, evaluates it, prints the results and the faults, and decides the exit
// code. It repeats that for --watch and for the command wait.
//
// It knows the flags, but no command: commands make a [Run] and call it. It
// knows nothing of Envoy or Istio, and evaluates nothing itself. Read run.go
// first.
package run
