package process

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// These are the exit codes, as the help page about exit codes describes them.
// If several apply, the precedence is 2, 3, 5, 1, 6, 4, 0.
const (
	ExitOK      = 0
	ExitFound   = 1 // with -e, the last result was false or null; with --fail-on-match, there was a result
	ExitUsage   = 2 // the command line is invalid, or nothing could be read
	ExitCompile = 3 // the query doesn't compile
	ExitEmpty   = 4 // with -e, there was no result
	ExitRun     = 5 // the query failed while it ran
	ExitPartial = 6 // a part of the mesh could not be read

	ExitInterrupted = 130 // the user pressed Ctrl-C; shells expect 130, so it takes precedence over all other codes
)

// precedence lists the exit codes; an earlier code takes precedence over a later
// one.
var precedence = [...]int{ExitInterrupted, ExitUsage, ExitCompile, ExitRun, ExitFound, ExitPartial, ExitEmpty}

// Strongest returns the code that takes precedence over all others in codes.
func Strongest(codes ...int) int {
	for _, p := range precedence {
		for _, c := range codes {
			if c == p {
				return c
			}
		}
	}
	for _, c := range codes {
		if c != ExitOK {
			return c // a code that the query itself has set with halt_error
		}
	}
	return ExitOK
}

// An ExitError is an error that ends the run with an exit code.
type ExitError struct {
	Code int
	Err  error
}

// Exit returns an error that ends the run with an exit code. A nil err means that
// the reason has already been printed.
func Exit(code int, err error) error { return &ExitError{code, err} }

func (e *ExitError) Error() string {
	if e.Err == nil {
		return "" // the reason has already been printed
	}
	return e.Err.Error()
}
func (e *ExitError) Unwrap() error { return e.Err }

// Usagef returns an error in the command line, which ends the run with exit code 2.
func Usagef(format string, args ...any) error {
	return Exit(ExitUsage, fmt.Errorf(format, args...))
}

// Fact returns the text of an error without the file's name, for a message that
// already contains that name.
func Fact(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return err.Error()
}

// FileName returns the name for a file of the command line in messages. For "-"
// and "", this is "standard input".
func FileName(path string) string {
	if path == "-" || path == "" {
		return "standard input"
	}
	return path
}

// CalledAs returns the command with which the user runs this program. If the
// program's file is kubectl-meshq, this is "kubectl meshq", because kubectl
// finds plugins by their file names.
func CalledAs(arg0 string) string {
	name := strings.TrimSuffix(filepath.Base(arg0), ".exe")
	if plugin, ok := strings.CutPrefix(name, "kubectl-"); ok {
		return "kubectl " + plugin
	}
	return name
}

// Indent joins lines into one text and indents each of them by two spaces.
func Indent(lines []string) string { return "  " + strings.Join(lines, "\n  ") }
