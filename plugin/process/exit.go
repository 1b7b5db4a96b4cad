package process

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// The exit codes, as the help's page on them says. Where several apply, the
// first of this order wins: 2, 3, 5, 1, 6, 4, 0.
const (
	ExitOK      = 0
	ExitFound   = 1 // -e: the last result was false or null; --fail-on-match: there was one
	ExitUsage   = 2 // bad words, or nothing could be read
	ExitCompile = 3 // the query is not one
	ExitEmpty   = 4 // -e: there was no result
	ExitRun     = 5 // the query failed
	ExitPartial = 6 // some of the mesh could not be read

	ExitInterrupted = 130 // by Ctrl-C: what shells expect, above all others
)

// precedence orders the codes, the strongest first.
var precedence = [...]int{ExitInterrupted, ExitUsage, ExitCompile, ExitRun, ExitFound, ExitPartial, ExitEmpty}

// Strongest returns the exit code that takes precedence.
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
			return c // a code of the query's own, from halt_error
		}
	}
	return ExitOK
}

// An ExitError is an error with the exit code of the run.
type ExitError struct {
	Code int
	Err  error
}

// Exit returns an error that ends the run with an exit code; a nil err says that
// the reason was printed already.
func Exit(code int, err error) error { return &ExitError{code, err} }

func (e *ExitError) Error() string {
	if e.Err == nil {
		return "" // told already
	}
	return e.Err.Error()
}
func (e *ExitError) Unwrap() error { return e.Err }

// Usagef returns an error in the command line: exit code 2.
func Usagef(format string, args ...any) error {
	return Exit(ExitUsage, fmt.Errorf(format, args...))
}

// Fact returns the text of an error without the name of the file, for a
// message that already has the name.
func Fact(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return err.Error()
}

// FileName returns what a message calls a file that the command line names.
func FileName(path string) string {
	if path == "-" || path == "" {
		return "standard input"
	}
	return path
}

// CalledAs returns how the user calls this program: "kubectl meshq" for the
// file kubectl-meshq, since kubectl finds plugins by the names of their files.
func CalledAs(arg0 string) string {
	name := strings.TrimSuffix(filepath.Base(arg0), ".exe")
	if plugin, ok := strings.CutPrefix(name, "kubectl-"); ok {
		return "kubectl " + plugin
	}
	return name
}

// Indent joins lines, each indented by two spaces.
func Indent(lines []string) string { return "  " + strings.Join(lines, "\n  ") }
