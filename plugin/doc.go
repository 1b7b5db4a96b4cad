// Package plugin is the front of the house: it takes the words of a command
// line, opens what they name, has the query run, prints the results and gives
// the exit code. It alone knows the process: arguments, environment, clock,
// terminal, signals. It knows nothing of Envoy or Istio, and evaluates
// nothing itself.
package plugin
