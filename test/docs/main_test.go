// Package docs tests that README.md and docs/ say what the program does.
package docs

import (
	"flag"
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

var update = flag.Bool("update", false, "rewrite what the pages expect")

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }
