// Package screens tests what users see on a real terminal: tables, help and the
// interactive shell, in tmux at several widths.
package screens

import (
	"flag"
	"os"
	"testing"

	"github.com/meshq/kubectl-meshq/test/program"
)

var update = flag.Bool("update", false, "rewrite the golden screens")

func TestMain(m *testing.M) { os.Exit(program.AtRoot(m)) }
