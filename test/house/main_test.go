// Package house checks rules for the code itself: its imports, packages, files,
// fuzz targets and output.
package house

import (
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }
