package ztunnel

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// LevelPrefix begins a ztunnel's answer to a request for its log levels, and to one
// that sets them (list_loggers in ztunnel's admin.rs).
const LevelPrefix = "current log level is "

// DefaultScope is the name under which the level of all other scopes is listed.
const DefaultScope = "default"

// levels reads the log levels of a ztunnel, by the names of its scopes. The answer is
// one line: "current log level is hickory_server=off,info".
func levels(doc *decode.Document) (any, error) {
	const most = 64 << 10
	text := make([]byte, most)
	n, err := doc.Bytes.ReadAt(text, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	line, ok := strings.CutPrefix(strings.TrimSpace(string(text[:n])), LevelPrefix)
	if !ok {
		return nil, fmt.Errorf("unexpected answer %.200q", text[:n])
	}
	out := object.New(0)
	for clause := range strings.SplitSeq(line, ",") {
		scope, level, isScope := strings.Cut(strings.TrimSpace(clause), "=")
		if !isScope {
			scope, level = DefaultScope, scope
		}
		out.Set(scope, level)
	}
	return out, nil
}
