// Package traces tests traces, checks and their exit codes, on recorded and
// artificial meshes.
package traces

import (
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }
