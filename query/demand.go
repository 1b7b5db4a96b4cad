package query

import (
	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/query/syntax"
)

// Demand returns what a query reads of its input, by its text alone: see
// [demand.Tree]. results is what is read of each result; nil means everything.
// It returns nil for a text that is no query.
func Demand(src string, results *demand.Tree) *demand.Tree {
	p, err := syntax.Parse("", src)
	if err != nil {
		return nil
	}
	o := demand.Options{Results: results}
	if o.Library, err = library.Programs(); err != nil {
		return &demand.Tree{All: true}
	}
	if o.Natives, err = library.StandIns(); err != nil {
		return &demand.Tree{All: true}
	}
	return demand.Of(p, o)
}
