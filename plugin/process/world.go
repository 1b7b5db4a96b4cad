package process

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A World is everything that a run sees of the process around it.
type World struct {
	Args []string // the program's name first
	In   io.Reader
	Out  io.Writer
	Err  io.Writer

	Terminal io.Writer // Err without what keeps it safe: for the line of progress, which moves the cursor

	Requotes bool // what is offered to a shell will be quoted for it

	InTerminal  bool // In is a terminal: somebody can be asked
	OutTerminal bool // Out is a terminal: colours, hints what to try
	ErrTerminal bool

	ErrWidth func() int // of the terminal that Err is, in columns; 0 or nil: not known

	Environ []string // "NAME=value"
	Dir     string   // the working directory; empty: not known
	Now     func() time.Time

	// Sleep waits so long, or until ctx ends; then its error is ctx's.
	Sleep func(ctx context.Context, d time.Duration) error

	Scratch *Scratch      // what is not to outlast the run; nil: it looks after it itself
	Overdue chan struct{} // hears that --timeout is over; nil: nobody does

	// Every gives the time again and again, until stop is called.
	Every func(d time.Duration) (ticks <-chan time.Time, stop func())
}

// Current returns the world of this process.
func Current() *World {
	dir, _ := os.Getwd() // where it isn't known there are no folders of a project
	environ := os.Environ()
	if !escapes(os.Stdout) || !escapes(os.Stderr) {
		environ = append(environ, "TERM=dumb")
	}
	return &World{
		Args: os.Args, In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal: term.IsTerminal(int(os.Stdin.Fd())), OutTerminal: term.IsTerminal(int(os.Stdout.Fd())), ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		ErrWidth: func() int {
			width, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil {
				return 0
			}
			return width
		},
		Environ: environ, Dir: dir, Now: time.Now, Sleep: sleep, Every: every,
	}
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

// Env returns a variable of the environment; the last of several settings is
// used.
func (w *World) Env(name string) string {
	for i := len(w.Environ) - 1; i >= 0; i-- {
		if k, v, ok := cutEnv(w.Environ[i]); ok && k == name {
			return v
		}
	}
	return ""
}

// Environment returns the object that $ENV is with --env.
func (w *World) Environment() *object.Object {
	m := object.New(0)
	for _, e := range w.Environ {
		if k, v, ok := cutEnv(e); ok {
			m.Set(k, v)
		}
	}
	return m
}

// cutEnv splits "NAME=value". Windows has names that begin with "=".
func cutEnv(e string) (name, value string, ok bool) {
	for i := 1; i < len(e); i++ {
		if e[i] == '=' {
			return e[:i], e[i+1:], true
		}
	}
	return "", "", false
}

// Near returns a path relative to the working directory, if that is shorter.
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
