// Package transcript runs transcripts: commands, and what the program has to
// print for them.
package transcript

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/meshq/kubectl-meshq/plugin"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/test/istiod"
	"github.com/meshq/kubectl-meshq/test/unpack"
)

var update = flag.Bool("update", false, "rewrite what the transcripts expect")

func TestMain(m *testing.M) {
	run := func() { os.Exit(plugin.Main(process.Current())) }
	testscript.Main(m, map[string]func(){"kubectl-meshq": run, "kubectl_complete-meshq": run})
}

// TestScript runs the transcripts in testdata/script on the demo. A transcript
// holds commands and the output that the real program must print for them.
func TestScript(t *testing.T) {
	changes, err := filepath.Abs(filepath.Join("..", "..", "testdata", "whatif"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "")
			e.Setenv("ISTIOD", istiod.Path())
			e.Setenv("CHANGES", changes)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name == "istiod" {
				return istiod.Path() != "", nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": checkCode, "unpack": unpackInto},
	})
}

// unpackInto unpacks the demo into a directory. In a script: unpack snap.
func unpackInto(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: unpack FOLDER")
	}
	ts.Check(unpack.Demo(ts.MkAbs(args[0]), func(string) bool { return true }))
}

// checkCode runs a command and checks its exit code. In a script: code 3
// kubectl-meshq '.['.
func checkCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command args…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		e, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
