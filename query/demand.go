package query

import (
	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/query/syntax"
)

// Demand returns which parts of its input a query reads, according to its text
// alone: see [demand.Tree]. results lists which parts of each result are read; nil
// means everything. Demand returns nil if the text isn't a valid query.
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
