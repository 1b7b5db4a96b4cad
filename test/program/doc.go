// Package program runs the plugin for the tests under test/: in the process of
// the test, or as the binary that make build builds. It also writes variants of
// the demo that such tests read.
package program
