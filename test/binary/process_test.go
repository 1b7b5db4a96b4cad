//go:build unix

package binary

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/program"
)

// peakMemory runs a program. It returns the program's output and its peak
// memory in kB. The kernel never reports less for a process than its parent had
// when it started the process, so peakMemory starts the program from a small
// process.
func peakMemory(t *testing.T, bin string, args ...string) (out string, kB int64) {
	t.Helper()
	between := exec.Command(os.Args[0], append([]string{"-test.run=^TestPeak$", "--", bin}, args...)...)
	var told strings.Builder
	between.Stderr = &told
	b, err := between.Output()
	if err != nil {
		t.Fatalf("%v: %s%s", err, b, told.String())
	}
	for line := range strings.Lines(string(b)) {
		if _, err := fmt.Sscanf(line, "peak %d", &kB); err == nil {
			return told.String(), kB
		}
	}
	t.Fatalf("%q", b)
	return "", 0
}

// TestPeak is the small process that peakMemory starts.
func TestPeak(t *testing.T) {
	if flag.NArg() == 0 {
		t.Skip("run by others")
	}
	cmd := exec.Command(flag.Arg(0), flag.Args()[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("\npeak %d\n", cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
}

// TestBinarySizeIsLimited checks the size of the binary, and logs the cost of
// starting it.
func TestBinarySizeIsLimited(t *testing.T) {
	bin := program.Built(t)
	info, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	if mb := info.Size() >> 20; mb >= 60 {
		t.Errorf("the binary is %d MB", mb)
	}
	least := time.Hour
	for range 5 {
		cmd := exec.Command(bin, "--version")
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		least = min(least, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	t.Logf("%d bytes, %s of CPU for --version", info.Size(), least)
}

// TestHugeDumpNeedsLittleMemory checks that a dump of 200 MB on one line is
// read in bounded memory.
func TestHugeDumpNeedsLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("200 MB")
	}
	dir := program.SnapshotWith(t, "")
	f, err := os.Create(filepath.Join(dir, "proxies", program.Victim, "config_dump.json"))
	if err != nil {
		t.Fatal(err)
	}
	filler := []byte(`{"cluster":{"name":"filler","altStatName":"` + strings.Repeat("x", 1<<20) + `"}},`)
	io.WriteString(f, `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","x_unknown":[`)
	for range 200 {
		if _, err := f.Write(filler); err != nil {
			t.Fatal(err)
		}
	}
	io.WriteString(f, `1],"dynamic_active_clusters":[{"cluster":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"last"}}]}]}`)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	out, kB := peakMemory(t, program.Built(t), "--snapshot", dir, "-c", `[.proxy("`+program.Victim+`").clusters[].name]`)
	if out != "[\"last\"]\n" {
		t.Errorf("%.200s", out)
	}
	if kB > 300<<10 {
		t.Errorf("%d MB of memory for one name", kB>>10)
	}
}

// TestKubectlRunsThePlugin runs the plugin through the real kubectl.
func TestKubectlRunsThePlugin(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("no kubectl on PATH")
	}
	cmd := exec.Command(kubectl, "meshq", "--snapshot", "demo", ".proxies | length")
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program.Built(t))+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "7" {
		t.Errorf("%v: %s", err, out)
	}
}

// TestClosedPipeEndsTheRun checks that the plugin ends at once when the reader
// of its standard output closes the pipe.
func TestClosedPipeEndsTheRun(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program.Built(t), "--null-input", "repeat(1)")
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := r.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	waitForEnd(t, cmd)
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d: the reader had what it wanted", code)
	}
}

// TestInterruptEndsTheRun checks Ctrl-C during a query, and while the program
// waits for input.
func TestInterruptEndsTheRun(t *testing.T) {
	for _, args := range [][]string{
		{"--null-input", `"begun" | debug | last(range(1e18))`},
		{"--input", "-", `"begun" | debug | input`},
	} {
		in, stay, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stay.WriteString("1\n"); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program.Built(t), args...)
		cmd.Stdin = in
		errs, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(errs)
		if s, err := lines.ReadString('\n'); err != nil || s != "[\"DEBUG:\",\"begun\"]\n" {
			t.Errorf("%q: said %q %v", args, s, err)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(lines)
		if err != nil || string(rest) != "error: interrupted\n" {
			t.Errorf("%q: said %q %v", args, rest, err)
		}
		waitForEnd(t, cmd)
		if code := cmd.ProcessState.ExitCode(); code != 130 {
			t.Errorf("%q: exit code %d", args, code)
		}
		stay.Close()
	}
}

func waitForEnd(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the callers check the exit state
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		t.Error("still running")
	}
}
