package query

import (
	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/query/syntax"
)

// Demand foretells what a query looks at of its input, by its text alone:
// results is what is looked at of what it gives, nil for everything. It is
// advice: see [demand.Tree]. Of a text that is no query it says nothing, nil.
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
