package eval

import (
	"context"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// stringsOf gives the strings that a query stands for, whatever its input; false
// when one of them is none, or could only be known by loading something.
type stringsOf func(m *machine, e *env) ([]string, bool)

// strings recognizes literals, variables, their fields and elements, arguments
// that are such, and several of them with commas between.
func (c *compiler) strings(q *syntax.Query, s *scope) stringsOf {
	if v, ok := literal(q); ok {
		text, ok := v.(string)
		return func(*machine, *env) ([]string, bool) { return []string{text}, ok }
	}
	if q.Op == syntax.OpComma && len(q.FuncDefs) == 0 {
		l, r := c.strings(q.Left, s), c.strings(q.Right, s)
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
		return c.strings(t.Query, s)
	}
	if t.Type != syntax.TermFunc || len(t.Func.Args) > 0 {
		return nil
	}
	return stringsIn(c.named(t.Func, s), t.SuffixList)
}

// named gives what a variable, or an argument without arguments of its own,
// stands for.
func (c *compiler) named(f *syntax.Func, s *scope) func(e *env) (any, bool) {
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

// stringsIn follows suffixes into a value as far as it is there, and the same
// at any time: not into what is loaded or was by chance.
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

// fieldOf gives a field of an object that is there.
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

// texts gives the strings among which all are.
func texts(all []any, ok bool) ([]string, bool) {
	out := make([]string, 0, len(all))
	for _, v := range all {
		text, isText := v.(string)
		ok = ok && isText
		out = append(out, text)
	}
	return out, ok
}
