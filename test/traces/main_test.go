// Package traces tests traces, verdicts and their exit codes on recorded and made-up meshes.
package traces

import (
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }
