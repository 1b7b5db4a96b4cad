package eval

import (
	"context"
	"regexp"
	"strings"

	"github.com/meshq/kubectl-meshq/query/builtin"
	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// predicate is the first condition in a pipeline, on one field of the elements that the
// pipeline receives. If the condition is false for an element, the pipeline yields
// nothing, raises no error and reports nothing. So such an element need not be loaded.
type predicate struct {
	by string // name of the tested field; empty if the element itself is tested
	// of returns the set of strings for which the condition may be true, if the field
	// contains one of them (or null). Its second result is false if this set isn't known
	// in advance. Calling it again returns the same result. It loads nothing and never
	// fails.
	of func(m *machine, e *env) (demand.Names, bool)
}

// narrowed returns an iteration that skips the elements for which the predicate is known
// to be false. A [mesh.Narrower] must yield the same elements each time it is iterated
// over, no matter how they were loaded. In a path expression the indexes of the elements
// matter, so no element is skipped.
func narrowed(all *node, w *predicate) *node {
	return &node{multi: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		x, ok := in.V.(mesh.Narrower)
		if !ok || in.P != nil {
			return all.gen(m, e, in, y)
		}
		want, ok := w.of(m, e)
		if !ok {
			return all.gen(m, e, in, y)
		}
		wanted := func(v values.Located) error {
			if want.Excludes(m.Ctx, w.by, v.V) {
				return nil
			}
			return y(v)
		}
		if _, done := x.Forced(); !done {
			elements, ok, err := x.Narrow(m.Ctx, want.Hint(w.by))
			m.Loaded()
			if err == nil && ok {
				return m.each(values.Located{V: elements}, wanted)
			}
		}
		// if Narrow failed, this loads the whole array, which returns the array's own
		// error
		return all.gen(m, e, in, wanted)
	}}
}

// wanted recognizes conditions on a string: comparisons, test, startswith, endswith,
// contains and IN. The string is a field of the input or, after a pipe, the input itself.
// It also recognizes "or" between such conditions on the same field, and "and" whose left
// side is such a condition. (The right side is evaluated only if the left side is true.)
// The returned predicate covers all elements for which the condition equals truth or
// raises an error. wanted returns nil for any other condition.
func wanted(c *compiler, q *syntax.Query, s *scope, truth bool) *predicate {
	if len(q.FuncDefs) > 0 {
		return nil
	}
	if t := q.Term; t != nil {
		switch {
		case len(t.SuffixList) > 0:
			return nil
		case t.Type == syntax.TermQuery:
			return wanted(c, t.Query, s, truth)
		case t.Type == syntax.TermFunc && truth:
			return wantedBy(c, t.Func, s)
		}
		return nil
	}
	switch q.Op {
	case syntax.OpAnd:
		if isObjectGuard(c, q.Left, s) {
			return wanted(c, q.Right, s, truth)
		}
		return wantedOfBoth(c, q, s, truth, !truth)
	case syntax.OpOr:
		return wantedOfBoth(c, q, s, truth, truth)
	case syntax.OpEq:
		return wantedEqual(c, q, s, truth)
	case syntax.OpNe:
		return wantedEqual(c, q, s, !truth)
	case syntax.OpPipe:
		return wantedPiped(c, q, s, truth)
	}
	return nil
}

// wantedOfBoth does the same as wanted, for the operators "and" and "or". If both is set,
// the predicate is true for the elements that either side selects. Otherwise it is that
// of the left side.
func wantedOfBoth(c *compiler, q *syntax.Query, s *scope, truth, both bool) *predicate {
	l := wanted(c, q.Left, s, truth)
	if !both || l == nil {
		return l
	}
	r := wanted(c, q.Right, s, truth)
	if r == nil || r.by != l.by {
		return nil
	}
	return &predicate{l.by, func(m *machine, e *env) (demand.Names, bool) {
		a, ok1 := l.of(m, e)
		b, ok2 := r.of(m, e)
		return a.Union(b), ok1 && ok2
	}}
}

// isObjectGuard recognizes the condition type == "object". On the left side of an "and",
// wanted ignores this condition, because predicates are applied only to objects.
func isObjectGuard(c *compiler, q *syntax.Query, s *scope) bool {
	if q.Op != syntax.OpEq || len(q.FuncDefs) > 0 {
		return false
	}
	kind, _ := literal(q.Right)
	t := q.Left.Term
	return kind == "object" && t != nil && t.Type == syntax.TermFunc && len(t.SuffixList) == 0 && len(q.Left.FuncDefs) == 0 && isCallOf(c, t.Func, "type/0", s)
}

func isCallOf(c *compiler, f *syntax.Func, k string, s *scope) bool {
	return syntax.Key(f.Name, len(f.Args)) == k && c.isBuiltin(k, s)
}

func wantedEqual(c *compiler, q *syntax.Query, s *scope, truth bool) *predicate {
	if !truth {
		return nil
	}
	by, ok := subject(q.Left)
	of := q.Right
	if !ok {
		by, ok = subject(q.Right)
		of = q.Left
	}
	strings := knownStrings(c, of, s)
	if !ok || strings == nil {
		return nil
	}
	return &predicate{by, func(m *machine, e *env) (demand.Names, bool) {
		all, ok := strings(m, e)
		return demand.Names{These: all}, ok
	}}
}

// subject returns which field a condition tests: the name for an expression such as
// .name, and an empty string for ".".
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

func wantedPiped(c *compiler, q *syntax.Query, s *scope, truth bool) *predicate {
	if len(q.Patterns) > 0 {
		return nil
	}
	if t := q.Right.Term; t != nil && t.Type == syntax.TermFunc && len(t.SuffixList) == 0 && len(q.Right.FuncDefs) == 0 && isCallOf(c, t.Func, "not/0", s) {
		return wanted(c, q.Left, s, !truth)
	}
	by, ok := subject(q.Left)
	if !ok {
		return nil
	}
	w := wanted(c, q.Right, s, truth)
	if w == nil || by != "" && w.by != "" {
		return nil
	}
	return &predicate{by + w.by, w.of}
}

// wantedBy does the same as wanted, for conditions that are calls of builtins such as
// startswith.
func wantedBy(c *compiler, f *syntax.Func, s *scope) *predicate {
	k := syntax.Key(f.Name, len(f.Args))
	if len(f.Args) == 0 || !c.isBuiltin(k, s) {
		return nil
	}
	args := make([]stringsOf, len(f.Args))
	for i, a := range f.Args {
		if args[i] = knownStrings(c, a, s); args[i] == nil {
			return nil
		}
	}
	if k == "IN/1" {
		return &predicate{of: func(m *machine, e *env) (demand.Names, bool) {
			all, ok := args[0](m, e)
			return demand.Names{These: all}, ok
		}}
	}
	like := likenesses()[k]
	if like == nil {
		return nil
	}
	ps := &builtin.Patterns{}
	return &predicate{of: func(m *machine, e *env) (w demand.Names, ok bool) {
		texts := make([]string, 2)
		for i, a := range args {
			all, ok := a(m, e)
			if !ok || len(all) != 1 {
				return w, false
			}
			texts[i] = all[0]
		}
		l, ok := like(m, ps, texts[0], texts[1])
		return demand.Names{Like: []demand.Pattern{l}}, ok
	}}
}

// likenesses returns the builtins that match a string, by name. Each function in the map
// returns a pattern of all strings for which the builtin returns true.
func likenesses() map[string]func(m *machine, ps *builtin.Patterns, text, flags string) (demand.Pattern, bool) {
	matching := func(m *machine, ps *builtin.Patterns, text, flags string) (demand.Pattern, bool) {
		p, err := ps.Get(&m.Task, text, flags)
		if err != nil {
			return demand.Pattern{}, false
		}
		return demand.Pattern{Regexp: `(?s).*(?:` + p.Regexp.String() + `).*`, Holds: p.Regexp.MatchString}, true
	}
	around := func(before, after string, hold func(s, text string) bool) func(*machine, *builtin.Patterns, string, string) (demand.Pattern, bool) {
		return func(_ *machine, _ *builtin.Patterns, text, _ string) (demand.Pattern, bool) {
			return demand.Pattern{Regexp: "(?s)" + before + regexp.QuoteMeta(text) + after, Holds: func(s string) bool { return hold(s, text) }}, true
		}
	}
	return map[string]func(*machine, *builtin.Patterns, string, string) (demand.Pattern, bool){
		"test/1": matching, "test/2": matching,
		"startswith/1": around("", ".*", strings.HasPrefix),
		"endswith/1":   around(".*", "", strings.HasSuffix),
		"contains/1":   around(".*", ".*", strings.Contains),
	}
}

// stringsOf returns the results of an expression that doesn't depend on its input, as
// strings. ok is false if one of the results isn't a string, or isn't known without
// loading.
type stringsOf func(m *machine, e *env) ([]string, bool)

// knownStrings recognizes expressions that don't depend on their input: literals,
// variables, fields and elements of variables, arguments that are such expressions, and
// lists of these with commas.
func knownStrings(c *compiler, q *syntax.Query, s *scope) stringsOf {
	if v, ok := literal(q); ok {
		text, ok := v.(string)
		return func(*machine, *env) ([]string, bool) { return []string{text}, ok }
	}
	if q.Op == syntax.OpComma && len(q.FuncDefs) == 0 {
		l, r := knownStrings(c, q.Left, s), knownStrings(c, q.Right, s)
		if l == nil || r == nil {
			return nil
		}
		return func(m *machine, e *env) ([]string, bool) {
			a, ok1 := l(m, e)
			b, ok2 := r(m, e)
			return append(a, b...), ok1 && ok2
		}
	}
	t := q.Term
	if t == nil || len(q.FuncDefs) > 0 {
		return nil
	}
	if t.Type == syntax.TermQuery && len(t.SuffixList) == 0 {
		return knownStrings(c, t.Query, s)
	}
	if t.Type != syntax.TermFunc || len(t.Func.Args) > 0 {
		return nil
	}
	return stringsIn(knownValue(c, t.Func, s), t.SuffixList)
}

// knownValue returns a function that returns the value of a variable, or of an argument
// that is constant.
func knownValue(c *compiler, f *syntax.Func, s *scope) func(e *env) (any, bool) {
	if f.Name[0] != '$' {
		if x, d := s.find(syntax.Key(f.Name, 0)); x != nil && x.param {
			return argument(x, d).known
		}
		return nil
	}
	if x, d := s.find(f.Name); x != nil {
		return func(e *env) (any, bool) { return e.at(d).v, true }
	}
	if v, ok := c.unit.data.Lookup(f.Name); ok {
		return func(*env) (any, bool) { return v, true }
	}
	return nil
}

// stringsIn looks up the fields and indexes in path in a value. It doesn't read lazy
// values, even if they are already loaded, so that the result is always the same.
func stringsIn(of func(*env) (any, bool), path []*syntax.Suffix) stringsOf {
	if of == nil {
		return nil
	}
	var fields []string
	each := false
	for i, x := range path {
		switch {
		case x.Index != nil && x.Index.Name != "":
			fields = append(fields, x.Index.Name)
		case x.Iter && i == len(path)-1:
			each = true
		default:
			return nil
		}
	}
	return func(m *machine, e *env) ([]string, bool) {
		v, ok := of(e)
		for _, f := range fields {
			v = fieldOf(m.Ctx, v, f)
		}
		all := []any{v}
		if each {
			var isArray bool
			all, isArray = v.([]any)
			ok = ok && isArray
		}
		return texts(all, ok)
	}
}

// fieldOf returns a field of an object, if the field is known without loading the object.
func fieldOf(ctx context.Context, v any, name string) any {
	switch x := v.(type) {
	case *object.Object:
		return x.Get(name)
	case *mesh.Object:
		w, ok := x.Member(name)
		if ok || x.IsPart() {
			return w
		}
		fields, err := x.Fields(ctx)
		if err == nil {
			return fields.Get(name)
		}
	}
	return nil
}

// texts converts all values to strings. ok is false if one of them isn't a string.
func texts(all []any, ok bool) ([]string, bool) {
	out := make([]string, 0, len(all))
	for _, v := range all {
		text, isText := v.(string)
		ok = ok && isText
		out = append(out, text)
	}
	return out, ok
}
