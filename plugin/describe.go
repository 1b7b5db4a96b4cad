package plugin

import (
	"context"
	"errors"
	"strings"

	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/syntax"
)

// describe renders an error for people: one line, and where there is a query,
// the place in it.
func describe(err error) string {
	var se *syntax.Error
	if errors.As(err, &se) {
		return se.Caret()
	}
	var re *eval.Error
	if errors.As(err, &re) {
		msg := oneLine(re.Err.Error())
		if re.Element != "" && !strings.HasPrefix(msg, re.Element) {
			msg = re.Element + ": " + msg
		}
		if re.Program == nil {
			return msg
		}
		at := &syntax.Error{Span: re.Span, File: re.Program.File, Src: re.Program.Src, Msg: msg}
		return at.Caret()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "the time given by --timeout is over"
	}
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return oneLine(err.Error())
}

func oneLine(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", `\n`) }
