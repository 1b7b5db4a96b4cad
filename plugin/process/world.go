package process

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A World contains every part of the process and of the operating system that a run
// uses. Tests replace it.
type World struct {
	Args []string // the command line; the first element is the name of the program
	In   io.Reader
	Out  io.Writer
	Err  io.Writer

	Terminal io.Writer // standard error without escaping; the progress line uses it to move the cursor

	// true if the shell's completion script quotes completions, so that they
	// may contain special characters
	Requotes bool

	InTerminal  bool // true if In is a terminal, so that the user can answer questions
	OutTerminal bool // true if Out is a terminal, so that colours and hints are printed
	ErrTerminal bool

	ErrWidth func() int // returns the width of Err's terminal in columns, or 0 if it is unknown; may be nil

	OutWidth func() int // returns the width of Out's terminal in columns, or 0 if it is unknown; may be nil

	Environ []string // the environment variables, each as "NAME=value"
	Dir     string   // the working directory; empty if it is unknown
	Now     func() time.Time

	// Sleep waits for the duration d. If ctx ends first, Sleep returns the error of
	// ctx.
	Sleep func(ctx context.Context, d time.Duration) error

	Scratch    *Scratch      // the temporary files to delete when the run ends; nil if they are not tracked
	Interrupts *Interrupts   // lets a query handle Ctrl-C; nil if Ctrl-C always ends the process
	Overdue    chan struct{} // receives a value when --timeout is over; nil if the run ignores timeouts

	heapPercent *atomic.Int64 // the largest GC percentage; nil if TuneGC did not set one

	// Every returns a channel that receives the current time at intervals of d
	// until stop is called.
	Every func(d time.Duration) (ticks <-chan time.Time, stop func())
}

// Current returns the world of this process.
func Current() *World {
	dir, _ := os.Getwd() // if this fails, dir is empty, and the run finds no query folders of a project
	environ := os.Environ()
	if !escapes(os.Stdout) || !escapes(os.Stderr) {
		environ = append(environ, "TERM=dumb")
	}
	return &World{
		Args: os.Args, In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal: term.IsTerminal(int(os.Stdin.Fd())), OutTerminal: term.IsTerminal(int(os.Stdout.Fd())), ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		OutWidth: func() int { return terminalWidth(os.Stdout) },
		ErrWidth: func() int { return terminalWidth(os.Stderr) },
		Environ:  environ, Dir: dir, Now: time.Now, Sleep: sleep, Every: every,
	}
}

// terminalWidth returns the width of a terminal in columns, or 0 if it is
// unknown.
func terminalWidth(f *os.File) int {
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func every(d time.Duration) (ticks <-chan time.Time, stop func()) {
	t := time.NewTicker(d)
	return t.C, t.Stop
}

// Env returns the value of an environment variable. If the variable is set several
// times, Env returns the last value.
func (w *World) Env(name string) string {
	for i := len(w.Environ) - 1; i >= 0; i-- {
		if k, v, ok := cutEnv(w.Environ[i]); ok && k == name {
			return v
		}
	}
	return ""
}

// Environment returns the environment variables as the value of $ENV. Queries can
// read it if --env is set.
func (w *World) Environment() *object.Object {
	m := object.New(0)
	for _, e := range w.Environ {
		if k, v, ok := cutEnv(e); ok {
			m.Set(k, v)
		}
	}
	return m
}

// cutEnv splits "NAME=value". On Windows, a name may begin with "=".
func cutEnv(e string) (name, value string, ok bool) {
	for i := 1; i < len(e); i++ {
		if e[i] == '=' {
			return e[:i], e[i+1:], true
		}
	}
	return "", "", false
}

// Near returns path relative to the working directory if that is shorter.
// Otherwise, it returns path unchanged.
func (w *World) Near(path string) string {
	if w.Dir == "" || !filepath.IsAbs(path) {
		return path
	}
	short, err := filepath.Rel(w.Dir, path)
	if err != nil || len(short) >= len(path) || strings.Count(short, "..") > 3 {
		return path
	}
	return short
}
