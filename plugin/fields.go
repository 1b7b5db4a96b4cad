package plugin

import (
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources"
)

// fieldHint tells about a field that a kind does not have: the nearest that it
// has, or that the name is a function's.
func fieldHint() func(kind, field string) string {
	var names []string
	for _, f := range library.Functions() {
		names = append(names, f.Name)
	}
	return sources.NewVocabulary(names).Hint
}
