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

// A World is everything that a run uses of the process and of the system
// around it. Tests replace it.
type World struct {
	Args []string // the command line; the first element is the name of the program
	In   io.Reader
	Out  io.Writer
	Err  io.Writer

	Terminal io.Writer // standard error without escaping, for the progress line, which moves the cursor

	Requotes bool // completions will be quoted for the shell, so they may contain special characters

	InTerminal  bool // In is a terminal, so the user can be asked questions
	OutTerminal bool // Out is a terminal, so colours and hints are printed
	ErrTerminal bool

	ErrWidth func() int // returns the width of the terminal of Err in columns; nil, or returns 0, if it isn't known

	Environ []string // "NAME=value"
	Dir     string   // the working directory; empty if it isn't known
	Now     func() time.Time

	// Sleep waits for d, or until ctx ends, and then returns the error of ctx.
	Sleep func(ctx context.Context, d time.Duration) error

	Scratch *Scratch      // the temporary files to remove when the run ends; nil if they are not tracked
	Overdue chan struct{} // receives a value when --timeout is over; nil if there is no receiver

	// Every returns a channel that receives the time each d until stop is
	// called.
	Every func(d time.Duration) (ticks <-chan time.Time, stop func())
}

// Current returns the world of this process.
func Current() *World {
	dir, _ := os.Getwd() // an error leaves dir empty; then no query folder of a project is found
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

// Env returns the value of an environment variable. If the variable is set
// several times, it returns the last value.
func (w *World) Env(name string) string {
	for i := len(w.Environ) - 1; i >= 0; i-- {
		if k, v, ok := cutEnv(w.Environ[i]); ok && k == name {
			return v
		}
	}
	return ""
}

// Environment returns the value of $ENV for a run with --env.
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

// Near returns a path relative to the working directory if that is shorter,
// and the path itself otherwise.
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
