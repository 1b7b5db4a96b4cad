package main

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/test/fleet/ledger"
)

func TestParse(t *testing.T) {
	name, f := parse("BenchmarkPass/names-2   \t 100\t  9123456 ns/op\t1480.12 MB/s\t 10.9 x-std\n")
	if name != "Pass/names" || f["ns/op"] != 9123456 || f["MB/s"] != 1480.12 || f["x-std"] != 10.9 {
		t.Errorf("%s %v", name, f)
	}
	if name, f := parse("ok  \tgithub.com/meshq/kubectl-meshq\t0.1s"); f != nil {
		t.Errorf("%s %v", name, f)
	}
}

func TestMedian(t *testing.T) {
	if n := median([]int{5, 1, 9}, func(n int) int { return n }); n != 5 {
		t.Error(n)
	}
	if n := median(nil, func(n int) int { return n }); n != 0 {
		t.Error(n)
	}
}

// TestStartMeasuresOnlyTheChild checks that the time and memory measured for a program are its own, without those of
// the process that started it.
func TestStartMeasuresOnlyTheChild(t *testing.T) {
	if ledger.Mine() == (ledger.Spent{}) {
		t.Skip("not known here")
	}
	b := &bench{options: &options{patience: 20 * time.Second}, folder: t.TempDir()}
	s, err := b.start(t.Context(), program{name: "sh", argv: []string{"/bin/sh", "-c", "read x; sleep 0.05; echo $x"}, in: "words\n"}, true)
	if err != nil || string(s.out) != "words\n" || s.wall < 50*time.Millisecond || s.Memory < 1e5 || s.CPU > 0.05 {
		t.Errorf("%v %+v", err, s)
	}
	if _, err := b.start(t.Context(), program{argv: []string{"/bin/sh", "-c", "echo sorry >&2; exit 3"}}, true); err == nil || !strings.Contains(err.Error(), "sorry") {
		t.Error(err)
	}
	b.patience = 20 * time.Millisecond
	if _, err := b.start(t.Context(), program{argv: []string{"/bin/sh", "-c", "exec sleep 20"}}, true); err != context.DeadlineExceeded && (err == nil || !strings.Contains(err.Error(), "deadline")) {
		t.Error(err)
	}
}

// TestTurnsRejectDifferentOutput checks that programs with different output are an error.
func TestTurnsRejectDifferentOutput(t *testing.T) {
	b := &bench{options: &options{patience: 20 * time.Second}, folder: t.TempDir()}
	echo := func(name, text string) program {
		return program{name: name, argv: []string{"/bin/sh", "-c", "printf '" + text + "'"}}
	}
	got, err := b.runInTurns(t.Context(), 3, []program{echo("a", `b\na\n`), echo("b", `a\nb\n`)}, sortedLines)
	if err != nil || len(got["a"]) != 3 || len(got["b"]) != 3 {
		t.Errorf("%v %v", err, got)
	}
	if _, err := b.runInTurns(t.Context(), 3, []program{echo("a", `b\na\n`), echo("b", `a\n`)}, sortedLines); err == nil || !strings.Contains(err.Error(), "a and b say different things") {
		t.Error(err)
	}
}

func TestScalars(t *testing.T) {
	if a, b := scalars([]byte("\"8003\"\n5\n")), scalars([]byte("[\n  \"8003\",\n  5\n]\n")); !bytes.Equal(a, b) || string(a) != `["8003",5]` {
		t.Errorf("%s %s", a, b)
	}
}

// TestReportStartsWithMissedGoals checks that a report begins with the goals that were missed.
func TestReportStartsWithMissedGoals(t *testing.T) {
	var r report
	r.addGoal("a | b", "≥ 2×", false, "%.1f×", 1.5)
	r.addGoal("c", "≤ 1 s", true, "%d ms", 20)
	r.add(table{title: "T", note: "N.", head: []string{"x", "y"}, rows: [][]string{{"1", "a | b"}}})
	var out bytes.Buffer
	if err := r.write(&out, &options{date: "2026-01-02", jq: "no-such-jq", gojq: "no-such-gojq", istioctl: "no-such-istioctl", machine: "A box"}); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	last := 0
	for _, want := range []string{"on 2026-01-02", "A box.", "jq is not installed", "- **Not met:** a | b: must be ≥ 2×; measured 1.5×.",
		"## What must be so", `| a \| b | ≥ 2× | 1.5× | **no** |`, "| c | ≤ 1 s | 20 ms | yes |", "## T", "N.", "| x | y |", "|---|---|", `| 1 | a \| b |`} {
		at := strings.Index(text[last:], want)
		if at < 0 {
			t.Fatalf("no %q behind %q", want, text[:last])
		}
		last += at
	}
}

// TestSimulatorAnswersAndCounts checks that a fleet in a process of its own answers requests and reports its counts.
func TestSimulatorAnswersAndCounts(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the simulator")
	}
	bin := t.TempDir() + "/fleet"
	b := &bench{options: &options{fleet: bin, transfer: "unused", captures: "../../../../sources/testdata/stale", patience: time.Minute}, folder: t.TempDir()}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../fleet").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s, err := b.simulate(t.Context(), mesh{proxies: 7, istiods: 2, stale: 2, dumpMB: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.Kubeconfig); err == nil {
			t.Error("it leaves its kubeconfig")
		}
	}()
	all, err := s.list(t.Context())
	stale := 0
	for _, p := range all {
		if p.Trouble == "stale" {
			stale++
		}
	}
	if err != nil || len(all) != 7 || stale != 2 {
		t.Errorf("%v %v", err, all)
	}
	out, err := b.ask(t.Context(), s, 2, []program{{name: "look", argv: []string{"/usr/bin/env", "sh", "-c", "test -s " + s.Kubeconfig}}})
	if err != nil || len(out["look"]) != 2 || toEnvoys(out["look"][0]) != 0 || cmp.Compare(out["look"][0].served, 0) < 0 {
		t.Errorf("%v %+v", err, out)
	}
}
