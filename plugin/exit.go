package plugin

import (
	"errors"
	"fmt"

	"github.com/meshq/kubectl-meshq/sources/inventory"
)

// The exit codes, as the help's page on them says. Where several apply, the
// first of this order wins: 2, 3, 5, 1, 6, 4, 0.
const (
	exitOK      = 0
	exitFound   = 1 // -e: the last result was false or null; --fail-on-match: there was one
	exitUsage   = 2 // bad words, or nothing could be read
	exitCompile = 3 // the query is not one
	exitEmpty   = 4 // -e: there was no result
	exitRun     = 5 // the query failed
	exitPartial = 6 // some of the mesh could not be read

	exitInterrupted = 130 // by Ctrl-C: what shells expect, above all others
)

// precedence orders the codes, the strongest first.
var precedence = [...]int{exitInterrupted, exitUsage, exitCompile, exitRun, exitFound, exitPartial, exitEmpty}

// strongest gives the code that a run ends with, of those that apply.
func strongest(codes ...int) int {
	for _, p := range precedence {
		for _, c := range codes {
			if c == p {
				return c
			}
		}
	}
	for _, c := range codes {
		if c != exitOK {
			return c // a code of the query's own, from halt_error
		}
	}
	return exitOK
}

// exitError is an error with its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return "" // told already
	}
	return e.err.Error()
}
func (e *exitError) Unwrap() error { return e.err }

// usage makes an error of the words on the command line.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// exitCode is the code of an error that ended a run.
func exitCode(err error) int {
	var e *exitError
	var w *writeError
	switch {
	case errors.As(err, new(*inventory.UnreadableError)), errors.As(err, new(*inventory.UnknownNamespaceError)):
		return exitUsage
	case errors.As(err, &e):
		return e.code
	case errors.As(err, &w):
		return exitUsage // as jq's, for what the system refuses
	}
	return exitRun
}
