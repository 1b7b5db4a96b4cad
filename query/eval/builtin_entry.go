package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// entryBuiltins turn objects into arrays of entries and back.
func entryBuiltins() map[string]builtin {
	toEntries := forced(func(m *mach, v any, _ []any) (any, error) { return m.entries(v) })
	fromEntries := forced(func(m *mach, v any, _ []any) (any, error) { return m.object(v) })
	return map[string]builtin{
		"to_entries/0":   toEntries,
		"from_entries/0": fromEntries,
		"INDEX/2":        indexed,
		"with_entries/1": func(c *compiler, f *syntax.Func, s *scope) *node {
			each := collect(c.seq(c.stages(f.Args[0], s, []stage{iterStage(false)})))
			bare := &syntax.Func{Span: f.Span, Name: f.Name}
			return pipe(toEntries(c, bare, s), pipe(each, fromEntries(c, bare, s)))
		},
	}
}

// smallObject is about what an object with few members takes.
const smallObject = 352

func (m *mach) entries(v any) (any, error) {
	x, _ := v.(*object.Object)
	xs, isArray := v.([]any)
	if x == nil && !isArray {
		return nil, cannot(v, "has no keys")
	}
	n := x.Len() + len(xs)
	if err := m.alloc((itemSize + smallObject) * n); err != nil {
		return nil, err
	}
	out := make([]any, 0, n)
	for k, v := range x.All() {
		out = append(out, object.Of("key", k, "value", v))
	}
	for i, w := range xs {
		out = append(out, object.Of("key", i, "value", w))
	}
	return out, nil
}

// entryKeys are the names that a key may have in an entry, by precedence.
var entryKeys = [...]string{"key", "Key", "name", "Name"}

// object makes an object of entries; a later one hides an earlier one.
func (m *mach) object(v any) (any, error) {
	xs, ok := members(v)
	if !ok {
		return nil, cannotIterate(v)
	}
	out := object.New(len(xs))
	for _, x := range xs {
		x, err := m.force(x)
		if err != nil {
			return nil, err
		}
		k, w, err := m.entry(x)
		if err != nil {
			return nil, err
		}
		name, ok := k.(string)
		if !ok {
			return nil, noKey(k)
		}
		out.Set(name, w)
	}
	return out, m.alloc(entrySize * out.Len())
}

// entry gives key and value of an entry.
func (m *mach) entry(x any) (k, w any, err error) {
	fields, ok := x.(*object.Object)
	if !ok && x != nil {
		return nil, nil, cannotIndex(x, entryKeys[0])
	}
	for _, name := range entryKeys {
		if k, err = m.force(fields.Get(name)); err != nil {
			return nil, nil, err
		}
		if k != nil && k != false {
			break
		}
	}
	w, ok = fields.Lookup("value")
	if !ok {
		w = fields.Get("Value")
	}
	return k, w, nil
}

// indexed is INDEX(rows; name): an object of the rows under their names, a
// later one in the place of an earlier one.
func indexed(c *compiler, f *syntax.Func, s *scope) *node {
	named := keyOf(pipe(c.query(f.Args[1], s), c.call(&syntax.Func{Span: f.Span, Name: "tostring"}, nil)))
	rows := c.seq(append(c.stages(f.Args[0], s, nil), stage{n: named}))
	return one(func(m *mach, e *env, in pv) (pv, error) {
		out := object.New(0)
		err := rows.run(m, e, plain(in), func(v pv) error {
			row := v.v.(keyed)
			for _, name := range row.all() {
				out.Set(name.(string), row.v)
			}
			return m.alloc(entrySize)
		})
		return in.val(out), err
	})
}
