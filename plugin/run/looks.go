package run

import (
	"context"
	"errors"

	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// uses are what the query, and then the printing of its results, looks at of
// the sections of proxies, by its words alone.
func (r *Run) uses() []demand.Use { return r.demand().Sections() }

func (r *Run) demand() *demand.Tree {
	results := &demand.Tree{Shown: true}
	switch {
	case r.Quiet && !r.Request.Traces:
		results = &demand.Tree{} // whether there is one
	case r.printsWhole():
		results = nil
	}
	return query.Demand(r.Request.Query, results).As("Mesh", r.columns)
}

// looks says the same to who fetches and reads them. Who runs no query, to
// compare or to record, looks at everything.
func (r *Run) looks() (sections, desired map[mesh.Section]mesh.Hint) {
	switch {
	case r.again:
		return nil, nil
	case r.Program == nil:
		return map[mesh.Section]mesh.Hint{mesh.Clusters: {}, mesh.Listeners: {}, mesh.Routes: {}}, nil
	}
	tree := r.demand()
	return hints(tree.Sections()), hints(tree.Desired())
}

func hints(uses []demand.Use) map[mesh.Section]mesh.Hint {
	all := map[mesh.Section]mesh.Hint{}
	for _, u := range uses {
		all[u.Section] = u.Hint()
	}
	return all
}

// errChanged ends a round in which a section has changed while it was read.
var errChanged = errors.New("the mesh has changed while it was read")

// noteChange hears that a section of a proxy has changed between two looks at
// it. As long as nothing was printed the round may begin anew, and ask for
// everything at once; else that proxy is a fault.
func (r *Run) noteChange() {
	if !r.again && r.repeats && !r.Printed.Load() {
		r.cancel(errChanged)
	}
}

// anew tells whether a round has to be run again, and makes ready for that.
func (r *Run) anew(ctx context.Context) bool {
	if r.again || !errors.Is(context.Cause(ctx), errChanged) || r.Printed.Load() {
		return false
	}
	r.again = true
	r.Stdout.Reset(r.StandardOutput())
	return true
}

// printsWhole tells whether printing a result looks at everything in it.
func (r *Run) printsWhole() bool {
	f := &r.Output
	switch f.Format {
	case "", "wide", "table":
		return f.Raw || f.Join || f.Raw0 || f.Seq || f.Compact || f.Tab || f.Ascii || r.Changed("indent") || f.SortBy != "" || r.Await || r.Watch
	}
	return true
}

// columns returns the fields that a row of the table of a kind reads.
func (r *Run) columns(kind string) (fields []string, ok bool) {
	return columns.Fields(kind, r.Output.Format == "wide")
}
