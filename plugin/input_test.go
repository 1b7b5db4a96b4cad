package plugin

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// TestWaitingInput checks that --timeout ends a run that waits for standard input.
func TestWaitingInput(t *testing.T) {
	for _, args := range []string{"--input -", "--input - --slurp .", "--null-input --input - [inputs]", "--null-input -f -", "--snapshot -"} {
		in, out := io.Pipe()
		var printed, told bytes.Buffer
		w := &process.World{
			Args: append([]string{"kubectl-meshq", "--timeout", "20ms"}, strings.Fields(args)...),
			In:   in, Out: &printed, Err: &told, Now: time.Now,
		}
		if code := Main(w); code != process.ExitRun || told.String() != "error: the time given by --timeout is over\n" {
			t.Errorf("%s: exit code %d, %q", args, code, told.String())
		}
		out.Close()
	}
}
