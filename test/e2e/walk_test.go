package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ofThisMesh adapts a command of docs/walk.md to this mesh: it is live, and its gateway listens on port 8080 instead of
// 80.
var ofThisMesh = strings.NewReplacer(" --snapshot demo", "", "http.80", "http.8080", ".port == 80", ".port == 8080", "http://istio-ingressgateway/", "http://istio-ingressgateway:8080/")

// walk runs every command of docs/walk.md on a mesh with the same faults as the recorded one. The exit code and the
// first line of the output must be those on the page.
func walk(t *testing.T, w *world) {
	w.stall(t, "reviews-v2")
	must(t, w.Reject(t.Context(), w.proxy(t, "ratings-v1")))
	w.awaitStatus(t, "ratings-v1", "lds", "ERROR")
	must(t, w.Withhold(t.Context()))
	w.awaitStatus(t, "istio-ingressgateway", "sds", "NOT SENT")
	text, err := os.ReadFile("../../docs/walk.md")
	must(t, err)
	lines := strings.Split(string(text), "\n")
	ran := 0
	for n, line := range lines {
		command, isCommand := strings.CutPrefix(line, "$ ")
		if !isCommand {
			continue
		}
		ran++
		command = ofThisMesh.Replace(command)
		shown := lines[n+1:]
		shown = shown[:slices.IndexFunc(shown, func(l string) bool { return strings.HasPrefix(l, "```") || strings.HasPrefix(l, "$ ") })]
		printed, code := w.walked(t, command)
		want := 0
		if last := shown[len(shown)-1]; strings.HasPrefix(last, "(exit code ") {
			_, err := fmt.Sscanf(last, "(exit code %d)", &want)
			must(t, err)
		}
		first, _, _ := strings.Cut(printed, "\n")
		if code != want || shown[0] != "..." && !slices.Equal(strings.Fields(first), strings.Fields(ofThisMesh.Replace(shown[0]))) {
			t.Errorf("%s: exit %d, want %d; it begins %q, the page %q", command, code, want, first, shown[0])
		}
	}
	if ran < 15 {
		t.Errorf("only %d commands were run", ran)
	}
}

// walked runs a command line and returns its stdout and exit code. The command must print nothing on stderr.
func (w *world) walked(t *testing.T, line string) (printed string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Env = []string{"PATH=" + w.path + ":" + filepath.Dir(w.kubectl) + ":/usr/bin:/bin", "HOME=" + w.folder(t), "KUBECONFIG=" + w.least}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", line, err)
	}
	if said := errs.String(); said != "" && !strings.HasPrefix(said, "error: exit status ") && !strings.HasPrefix(said, "exit status ") {
		t.Errorf("%s: said on stderr:\n%s", line, said)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}
