package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/meshq/kubectl-meshq/test/fleet/ledger"
)

// A program is a command line to measure.
type program struct {
	name string
	argv []string
	in   string // standard input
	code int    // an exit code that is accepted besides 0
	env  []string
}

// A sample is what one process has cost.
type sample struct {
	wall  time.Duration
	ended time.Time
	ledger.Spent
	out []byte
}

// start runs a program to its end. Its output is kept or discarded.
func (b *bench) start(ctx context.Context, p program, keep bool) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, b.patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = []string{"HOME=" + b.folder, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}
	cmd.Env = append(cmd.Env, p.env...)
	if p.in != "" {
		cmd.Stdin = strings.NewReader(p.in)
	}
	var out, errs bytes.Buffer
	cmd.Stderr = &errs
	if keep {
		cmd.Stdout = &out
	}
	begun := time.Now()
	err := cmd.Run()
	s := sample{wall: time.Since(begun), ended: time.Now(), out: out.Bytes()}
	if cmd.ProcessState != nil {
		s.Spent = ledger.Of(cmd.ProcessState.SysUsage())
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if p.code != 0 && cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == p.code && ctx.Err() == nil {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(p.argv, " "), err, bytes.TrimSpace(errs.Bytes()))
	}
	return s, err
}

// runInTurns runs each program several times, in turns, and returns the samples by program. If normal is not nil, all
// programs must print the same once normal is applied to their output.
func (b *bench) runInTurns(ctx context.Context, runs int, all []program, normal func([]byte) []byte) (map[string][]sample, error) {
	var first []byte
	for i, p := range all { // this first round also fills the file cache
		s, err := b.start(ctx, p, normal != nil)
		if err != nil {
			return nil, err
		}
		if normal == nil || strings.HasPrefix(p.name, "istioctl") {
			continue
		}
		if text := normal(s.out); i == 0 {
			first = text
		} else if !bytes.Equal(text, first) {
			return nil, fmt.Errorf("%s and %s say different things (%d and %d bytes)", all[0].name, p.name, len(first), len(text))
		}
	}
	samples := map[string][]sample{}
	for range runs {
		for _, p := range all {
			s, err := b.start(ctx, p, false)
			if err != nil {
				return nil, err
			}
			samples[p.name] = append(samples[p.name], s)
		}
	}
	return samples, nil
}

// median returns the median of a figure over some samples.
func median[T any, N cmp.Ordered](all []T, of func(T) N) (n N) {
	if len(all) == 0 {
		return n
	}
	figures := make([]N, len(all))
	for i, s := range all {
		figures[i] = of(s)
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}

func wall(s sample) time.Duration { return s.wall }
func cpu(s sample) float64        { return s.CPU }
func memory(s sample) int64       { return s.Memory }

// installed returns the path of a program, or "" if it is not installed.
func installed(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// sortedLines normalizes output whose lines may be in any order.
func sortedLines(out []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	slices.SortFunc(lines, bytes.Compare)
	return bytes.Join(lines, []byte("\n"))
}
