package run

import (
	"context"
	"fmt"
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// hintNothing prints a note if a query has no result. On a terminal, an empty
// answer looks like a hung or broken command.
func hintNothing(r *Run) {
	switch {
	case r.Plain():
	case r.Request.Status:
		r.Note("no proxies were found" + r.Among())
	case r.ErrTerminal && r.OutTerminal:
		r.Note(nothing(r))
	}
	if r.Request.named == nil && r.Mesh != nil {
		hintID(r)
	}
}

// nothing returns a sentence that there is no result, with the number of
// proxies that were read.
func nothing(r *Run) string {
	what := "results"
	if q := r.Request.named; q != nil && q.Severity == "" {
		what = q.Name + " matched"
	} else if q != nil {
		what = "findings of " + q.Name
	}
	text := "no " + what + r.Among()
	if n, ok := r.Mesh.ProxiesRead(); ok {
		text += fmt.Sprintf(" (%s read)", Plural(n, "proxy", "proxies"))
	}
	return text
}

// hintID prints a note if the query compares a proxy's .name with a text that is
// the id or workload of a proxy, but not the name of any. The id is what tables
// show as NAME.
func hintID(r *Run) {
	p, err := syntax.Parse("", r.Request.Query)
	if err != nil {
		return
	}
	var ids, workloads []string
	for q := range p.Queries() {
		name, ok := comparedName(q)
		if !ok {
			continue
		}
		if ids == nil {
			ids, workloads = proxyNames(r)
		}
		switch {
		case slices.Contains(ids, name):
			r.Note(fmt.Sprintf("no proxy has the name %s: it is the id of one, select(.id == %q); .name is the pod's", name, name))
		case slices.Contains(workloads, name):
			r.Note(fmt.Sprintf("no proxy has the name %s: it is a workload, select(.workload == %q); .name is the pod's", name, name))
		}
	}
}

// proxyNames returns the ids and the workloads of all proxies. It sends no
// request: it returns nothing if the query didn't read the proxies.
func proxyNames(r *Run) (ids, workloads []string) {
	if _, ok := r.Mesh.ProxiesRead(); !ok {
		return []string{}, nil
	}
	ctx := context.Background()
	list, _ := mesh.Get(ctx, r.Mesh.Document(), "proxies")
	list, _ = mesh.Force(ctx, list)
	all, _ := list.([]any)
	for _, p := range all {
		id, _ := TextOf(ctx, p, "id")
		ids = append(ids, id)
		if w, err := TextOf(ctx, p, "workload"); err == nil && w != "" {
			workloads = append(workloads, w)
		}
	}
	return ids, workloads
}

// comparedName returns the text with which a query compares .name, as in .name
// == "x".
func comparedName(q *syntax.Query) (string, bool) {
	if q.Op != syntax.OpEq {
		return "", false
	}
	for _, pair := range [][2]*syntax.Query{{q.Left, q.Right}, {q.Right, q.Left}} {
		field, text := pair[0].Term, pair[1].Term
		if field == nil || field.Type != syntax.TermIndex || field.Index.Name != "name" || len(field.SuffixList) > 0 {
			continue
		}
		if text != nil && text.Type == syntax.TermString && text.Str.Queries == nil {
			return text.Str.Str, true
		}
	}
	return "", false
}
