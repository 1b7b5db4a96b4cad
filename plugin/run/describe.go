package run

import (
	"context"
	"errors"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/inventory"
)

// Describe formats an error for users, as one line. If the error has a position in
// the query, two more lines show the position.
func Describe(err error) string {
	var unmet *unmetError
	if errors.As(err, &unmet) {
		return unmet.text
	}
	var se *syntax.Error
	if errors.As(err, &se) {
		return withPlace(se)
	}
	var none *inventory.UnreadableError
	if errors.As(err, &none) {
		return process.OneLine(none.Error())
	}
	var nowhere *inventory.UnknownNamespaceError
	if errors.As(err, &nowhere) {
		return process.OneLine(nowhere.Error() + "; " + options.NamespaceHere)
	}
	var re *eval.Error
	if errors.As(err, &re) {
		msg := process.OneLine(re.Err.Error())
		if re.Element != "" && !strings.HasPrefix(msg, re.Element) {
			msg = process.OneLine(re.Element + ": " + msg)
		}
		at := re.Place()
		if at == nil {
			return msg
		}
		at.Msg = msg
		return withPlace(at)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "the time given by --timeout is over"
	}
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return process.OneLine(err.Error())
}

// withPlace formats an error of a query as one line, and its position as two more
// lines.
func withPlace(e *syntax.Error) string {
	return process.OneLine(e.Error()) + strings.TrimPrefix(e.Caret(), e.Error())
}

// exitCode returns the exit code of an error that ended a run.
func exitCode(err error) int {
	var e *process.ExitError
	var w *process.WriteError
	switch {
	case errors.As(err, new(*inventory.UnknownProxyError)):
		return process.ExitRun
	case errors.As(err, new(*inventory.UnreadableError)), errors.As(err, new(*inventory.UnknownNamespaceError)):
		return process.ExitUsage
	case errors.As(err, &e):
		return e.Code
	case errors.As(err, &w):
		return process.ExitUsage // jq uses the same exit code for errors of the operating system
	}
	return process.ExitRun
}

// fieldHint returns a function that is called if a query reads a field that a kind
// doesn't have. The function suggests a field with a similar name, or a function.
func fieldHint() func(kind, field string) string {
	calls := map[string]string{}
	for _, f := range library.Functions() {
		if _, ok := calls[f.Name]; !ok {
			calls[f.Name] = f.Name + "(" + strings.Join(f.Params, "; ") + ")"
		}
	}
	return sources.NewVocabulary(calls).Hint
}
