package plugin

import (
	"context"
	"errors"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/inventory"
)

// describe renders an error for people: one line, and where there is a query,
// the place in it.
func describe(err error) string {
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
		return oneLine(none.Error())
	}
	var nowhere *inventory.UnknownNamespaceError
	if errors.As(err, &nowhere) {
		return oneLine(nowhere.Error() + "; " + namespaceHere)
	}
	var re *eval.Error
	if errors.As(err, &re) {
		msg := oneLine(re.Err.Error())
		if re.Element != "" && !strings.HasPrefix(msg, re.Element) {
			msg = oneLine(re.Element + ": " + msg)
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
	return oneLine(err.Error())
}

// withPlace renders an error of a query in a line, and its place in two more.
func withPlace(e *syntax.Error) string {
	return oneLine(e.Error()) + strings.TrimPrefix(e.Caret(), e.Error())
}

// oneLine keeps a message to one line, and from moving the terminal's cursor:
// names and errors come from elsewhere.
func oneLine(s string) string { return safe.Line(strings.TrimSpace(s)) }
