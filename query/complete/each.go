package complete

import "github.com/meshq/kubectl-meshq/query/syntax"

// each visits a query and all queries inside it. An outer query is visited
// before the queries that it contains.
func each(q *syntax.Query, visit func(*syntax.Query)) {
	if q == nil {
		return
	}
	visit(q)
	for _, fd := range q.FuncDefs {
		each(fd.Body, visit)
	}
	eachOfTerm(q.Term, visit)
	each(q.Left, visit)
	each(q.Right, visit)
}

func eachOfTerm(t *syntax.Term, visit func(*syntax.Query)) {
	if t == nil {
		return
	}
	each(t.Query, visit)
	eachOfString(t.Str, visit)
	eachOfIndex(t.Index, visit)
	switch {
	case t.Func != nil:
		for _, a := range t.Func.Args {
			each(a, visit)
		}
	case t.Object != nil:
		for _, kv := range t.Object.KeyVals {
			each(kv.KeyQuery, visit)
			eachOfString(kv.KeyString, visit)
			each(kv.Val, visit)
		}
	case t.Array != nil:
		each(t.Array.Query, visit)
	case t.Unary != nil:
		eachOfTerm(t.Unary.Term, visit)
	case t.Label != nil:
		each(t.Label.Body, visit)
	default:
		eachOfControl(t, visit)
	}
	for _, x := range t.SuffixList {
		eachOfIndex(x.Index, visit)
	}
}

func eachOfControl(t *syntax.Term, visit func(*syntax.Query)) {
	var all []*syntax.Query
	switch {
	case t.If != nil:
		all = append(all, t.If.Cond, t.If.Then)
		for _, e := range t.If.Elif {
			all = append(all, e.Cond, e.Then)
		}
		all = append(all, t.If.Else)
	case t.Try != nil:
		all = append(all, t.Try.Body, t.Try.Catch)
	case t.Reduce != nil:
		all = append(all, t.Reduce.Query, t.Reduce.Start, t.Reduce.Update)
	case t.Foreach != nil:
		all = append(all, t.Foreach.Query, t.Foreach.Start, t.Foreach.Update, t.Foreach.Extract)
	}
	for _, q := range all {
		each(q, visit)
	}
}

func eachOfString(s *syntax.String, visit func(*syntax.Query)) {
	if s == nil {
		return
	}
	for _, q := range s.Queries {
		each(q, visit)
	}
}

func eachOfIndex(x *syntax.Index, visit func(*syntax.Query)) {
	if x == nil {
		return
	}
	eachOfString(x.Str, visit)
	each(x.Start, visit)
	each(x.End, visit)
}
