// Package oracle compares the program with jq on the demo.
package oracle

import (
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }
