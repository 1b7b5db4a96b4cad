package eval

import (
	"regexp"
	"strings"

	"github.com/meshq/kubectl-meshq/query/builtin"
	"github.com/meshq/kubectl-meshq/query/syntax"
)

// wanted recognizes conditions on a string: comparisons, test, startswith,
// endswith, contains and IN, of a field or, behind a pipe, of the input; "or"
// between such on one field; "and" with one on its left, for what stands on
// the right is not reached by the others. It gives what the condition is truth
// for, or raises an error for, and nil when it can't tell.
func (c *compiler) wanted(q *syntax.Query, s *scope, truth bool) *wanting {
	if len(q.FuncDefs) > 0 {
		return nil
	}
	if t := q.Term; t != nil {
		switch {
		case len(t.SuffixList) > 0:
			return nil
		case t.Type == syntax.TermQuery:
			return c.wanted(t.Query, s, truth)
		case t.Type == syntax.TermFunc && truth:
			return c.wantedBy(t.Func, s)
		}
		return nil
	}
	switch q.Op {
	case syntax.OpAnd:
		if c.isGuard(q.Left, s) {
			return c.wanted(q.Right, s, truth)
		}
		return c.wantedOfBoth(q, s, truth, !truth)
	case syntax.OpOr:
		return c.wantedOfBoth(q, s, truth, truth)
	case syntax.OpEq:
		return c.wantedEqual(q, s, truth)
	case syntax.OpNe:
		return c.wantedEqual(q, s, !truth)
	case syntax.OpPipe:
		return c.wantedPiped(q, s, truth)
	}
	return nil
}

// wantedOfBoth is for "and" and "or": either side decides when both is true,
// else the left one alone.
func (c *compiler) wantedOfBoth(q *syntax.Query, s *scope, truth, both bool) *wanting {
	l := c.wanted(q.Left, s, truth)
	if !both || l == nil {
		return l
	}
	r := c.wanted(q.Right, s, truth)
	if r == nil || r.by != l.by {
		return nil
	}
	return &wanting{l.by, func(m *machine, e *env) (want, bool) {
		a, ok1 := l.of(m, e)
		b, ok2 := r.of(m, e)
		return a.and(b), ok1 && ok2
	}}
}

// isGuard recognizes type == "object", which is so of all that are asked.
func (c *compiler) isGuard(q *syntax.Query, s *scope) bool {
	if q.Op != syntax.OpEq || len(q.FuncDefs) > 0 {
		return false
	}
	kind, _ := literal(q.Right)
	t := q.Left.Term
	return kind == "object" && t != nil && t.Type == syntax.TermFunc && len(t.SuffixList) == 0 && len(q.Left.FuncDefs) == 0 && c.isCall(t.Func, "type/0", s)
}

func (c *compiler) isCall(f *syntax.Func, k string, s *scope) bool {
	return syntax.Key(f.Name, len(f.Args)) == k && c.isBuiltin(k, s)
}

func (c *compiler) wantedEqual(q *syntax.Query, s *scope, truth bool) *wanting {
	if !truth {
		return nil
	}
	by, ok := subject(q.Left)
	of := q.Right
	if !ok {
		by, ok = subject(q.Right)
		of = q.Left
	}
	strings := c.strings(of, s)
	if !ok || strings == nil {
		return nil
	}
	return &wanting{by, func(m *machine, e *env) (want, bool) {
		all, ok := strings(m, e)
		return want{these: all}, ok
	}}
}

// subject tells what a condition is about: .name gives that, "." nothing.
func subject(q *syntax.Query) (field string, ok bool) {
	t := q.Term
	switch {
	case t == nil || len(q.FuncDefs) > 0 || len(t.SuffixList) > 0:
		return "", false
	case t.Type == syntax.TermIndex:
		return t.Index.Name, t.Index.Name != ""
	}
	return "", t.Type == syntax.TermIdentity
}

func (c *compiler) wantedPiped(q *syntax.Query, s *scope, truth bool) *wanting {
	if len(q.Patterns) > 0 {
		return nil
	}
	if t := q.Right.Term; t != nil && t.Type == syntax.TermFunc && len(t.SuffixList) == 0 && len(q.Right.FuncDefs) == 0 && c.isCall(t.Func, "not/0", s) {
		return c.wanted(q.Left, s, !truth)
	}
	by, ok := subject(q.Left)
	if !ok {
		return nil
	}
	w := c.wanted(q.Right, s, truth)
	if w == nil || by != "" && w.by != "" {
		return nil
	}
	return &wanting{by + w.by, w.of}
}

// wantedBy recognizes the functions that ask something of their input.
func (c *compiler) wantedBy(f *syntax.Func, s *scope) *wanting {
	k := syntax.Key(f.Name, len(f.Args))
	if len(f.Args) == 0 || !c.isBuiltin(k, s) {
		return nil
	}
	args := make([]stringsOf, len(f.Args))
	for i, a := range f.Args {
		if args[i] = c.strings(a, s); args[i] == nil {
			return nil
		}
	}
	if k == "IN/1" {
		return &wanting{of: func(m *machine, e *env) (want, bool) {
			all, ok := args[0](m, e)
			return want{these: all}, ok
		}}
	}
	like := likenesses()[k]
	if like == nil {
		return nil
	}
	ps := &builtin.Patterns{}
	return &wanting{of: func(m *machine, e *env) (w want, ok bool) {
		texts := make([]string, 2)
		for i, a := range args {
			all, ok := a(m, e)
			if !ok || len(all) != 1 {
				return w, false
			}
			texts[i] = all[0]
		}
		l, ok := like(m, ps, texts[0], texts[1])
		return want{like: []likeness{l}}, ok
	}}
}

// likenesses are what the functions let through that match a text, by name.
func likenesses() map[string]func(m *machine, ps *builtin.Patterns, text, flags string) (likeness, bool) {
	matching := func(m *machine, ps *builtin.Patterns, text, flags string) (likeness, bool) {
		p, err := ps.Get(&m.Task, text, flags)
		if err != nil {
			return likeness{}, false
		}
		return likeness{`(?s).*(?:` + p.Regexp.String() + `).*`, p.Regexp.MatchString}, true
	}
	around := func(before, after string, hold func(s, text string) bool) func(*machine, *builtin.Patterns, string, string) (likeness, bool) {
		return func(_ *machine, _ *builtin.Patterns, text, _ string) (likeness, bool) {
			return likeness{"(?s)" + before + regexp.QuoteMeta(text) + after, func(s string) bool { return hold(s, text) }}, true
		}
	}
	return map[string]func(*machine, *builtin.Patterns, string, string) (likeness, bool){
		"test/1": matching, "test/2": matching,
		"startswith/1": around("", ".*", strings.HasPrefix),
		"endswith/1":   around(".*", "", strings.HasSuffix),
		"contains/1":   around(".*", ".*", strings.Contains),
	}
}
