// Package ambient tests the plugin on the recorded ambient mesh: what real requests
// did there, and the inputs on which the plugin once was wrong. The mesh is the
// snapshot "demo-ambient", and the whole recording where it is at hand.
package ambient

import (
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }
