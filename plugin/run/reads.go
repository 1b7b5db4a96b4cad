package run

import (
	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// uses returns what the query, and then the printing of its results, will read of
// the sections of proxies: see package demand.
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

// reads returns the same as hints for the sources. A run without a query, which
// compares or records, reads everything.
func (r *Run) reads() (sections, desired map[mesh.Section]mesh.Hint) {
	if r.Program == nil {
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

// printsWhole reports whether printing a result reads everything in it.
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
