// Package release tests the release: archives, the krew manifest and workflows.
package release

import (
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }
