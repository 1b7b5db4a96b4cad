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

// Strongest gives the code that a run ends with, of those that apply.
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

// ExitError is an error with its exit code.
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

// usage makes an error of the words on the command line.
func Usagef(format string, args ...any) error {
	return Exit(ExitUsage, fmt.Errorf(format, args...))
}

// Fact is an error without what the message around it says already: for a
// file, why it could not be read and not its name again.
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

// CalledAs is how the user calls this program: kubectl finds plugins by their
// file's name.
func CalledAs(arg0 string) string {
	name := strings.TrimSuffix(filepath.Base(arg0), ".exe")
	if plugin, ok := strings.CutPrefix(name, "kubectl-"); ok {
		return "kubectl " + plugin
	}
	return name
}

// Indent joins lines, each indented by two spaces.
func Indent(lines []string) string { return "  " + strings.Join(lines, "\n  ") }
