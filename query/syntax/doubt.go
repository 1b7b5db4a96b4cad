package syntax

// Doubts returns warnings about parts of a valid program that are probably
// mistakes. An example is an assignment used as a condition: the result of
// select(.rds = "STALE") is an object and therefore always true. Doubts are not
// errors: jq runs such a program.
func (p *Program) Doubts() (all []*Error) {
	doubt := func(q *Query) {
		all = append(all, &Error{q.OpSpan, p.File, p.Src, "this assigns; did you mean =="})
	}
	for n := range nodes(p.Query) {
		switch n := n.(type) {
		case *Func:
			if n.Name == "join" && len(n.Args) == 1 && n.Args[0].Op == OpComma {
				all = append(all, &Error{n.Args[0].OpSpan, p.File, p.Src, `this gives a result for each side; arguments are separated by ";", and join takes one`})
			}
			if i, ok := asking[n.Name]; ok && len(n.Args) > 0 {
				asked(n.Args[min(i, len(n.Args)-1)], doubt)
			}
		case *Term:
			if n.Type == TermIf {
				asked(n.If.Cond, doubt)
				for _, branch := range n.If.Elif {
					asked(branch.Cond, doubt)
				}
			}
		}
	}
	return all
}

// asking lists the functions of jq that test a condition. The value is the index of the
// argument that is the condition. If a call has fewer arguments than that, the condition
// is its last argument.
var asking = map[string]int{"select": 0, "any": 1, "all": 1, "until": 0, "while": 0}

// asked calls the function doubt for each assignment in a condition.
func asked(q *Query, doubt func(*Query)) {
	for q != nil {
		switch {
		case q.Op == OpAssign:
			doubt(q)
			return
		case q.Op == OpAnd || q.Op == OpOr:
			asked(q.Left, doubt)
			q = q.Right
		case q.Op == OpPipe && isNot(q.Right):
			q = q.Left
		case q.Term != nil && q.Term.Type == TermQuery && len(q.Term.SuffixList) == 0:
			q = q.Term.Query
		default:
			return
		}
	}
}

func isNot(q *Query) bool {
	return q.Term != nil && q.Term.Type == TermFunc && q.Term.Func.Name == "not" && len(q.Term.SuffixList) == 0
}
