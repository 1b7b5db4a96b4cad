// Package shell tests completion in real shells.
package shell

import (
	"flag"
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

var fullRun = flag.Bool("full", false, "try every kind of completion on the poisoned captures; otherwise a sample")

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }
