package run

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources"
)

// fieldHint tells about a field that a kind does not have: the nearest that it
// has, or that the name is a function's.
func fieldHint() func(kind, field string) string {
	calls := map[string]string{}
	for _, f := range library.Functions() {
		if _, ok := calls[f.Name]; !ok {
			calls[f.Name] = f.Name + "(" + strings.Join(f.Params, "; ") + ")"
		}
	}
	return sources.NewVocabulary(calls).Hint
}
