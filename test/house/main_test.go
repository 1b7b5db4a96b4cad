// Package house holds the rules of the house: imports, packages, files, fuzz targets, output.
package house

import (
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }
