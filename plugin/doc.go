// Package plugin implements the command line of kubectl meshq. It parses the
// arguments, opens the mesh, runs the query, prints the results and returns the
// exit code. Only this package and the packages below it use the process: its
// arguments, environment, clock, terminal and signals. They contain no knowledge of
// Envoy or Istio, and don't evaluate queries themselves.
package plugin
