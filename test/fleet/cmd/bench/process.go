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

// A program is one that is started to be measured.
type program struct {
	name string
	argv []string
	in   string // standard input
	code int    // what it may exit with, beside 0
}

// A sample is what one process cost.
type sample struct {
	wall  time.Duration
	ended time.Time
	ledger.Spent
	out []byte
}

// start runs a program to its end. Its output is kept or thrown away.
func (b *bench) start(ctx context.Context, p program, keep bool) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, b.patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = []string{"HOME=" + b.folder, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}
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

// turns starts the programs in turns, so often, and gives the samples of each.
// Where all of them are to say the same, normal brings their output to one
// form; nil: they needn't.
func (b *bench) turns(ctx context.Context, runs int, all []program, normal func([]byte) []byte) (map[string][]sample, error) {
	var first []byte
	for i, p := range all { // also warms the file cache
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

// middle gives the median of some samples' figure.
func middle[T any, N cmp.Ordered](all []T, of func(T) N) (n N) {
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

// installed gives where a program is; "" when it isn't.
func installed(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// sortedLines is the normal form of lines in any order.
func sortedLines(out []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	slices.SortFunc(lines, bytes.Compare)
	return bytes.Join(lines, []byte("\n"))
}
