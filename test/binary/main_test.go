// Package binary tests the built binary: its size and start, signals, pipes,
// and how it works with other programs.
package binary

import (
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

// scratch is a directory for programs that may outlive their test. It is removed
// after all tests.
var scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "meshq-test")
	if err != nil {
		panic(err)
	}
	scratch = dir
	code := program.AtRoot(m)
	os.RemoveAll(dir)
	os.Exit(code)
}
