package eval

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// runBuiltins returns the builtins that read or write data outside of the query. A
// builtin that has visible effects, or consumes its source, keeps the whole run in one
// goroutine.
func runBuiltins() map[string]maker {
	return map[string]maker{
		"input/0": impure(withMachine(func(m *machine, _ any, _ []any) (any, error) {
			v, ok, err := m.input()
			if err == nil && !ok {
				err = errors.New("break")
			}
			return v, err
		})),
		"inputs/0":     impure(inputs),
		"debug/0":      impure(withMachine(func(m *machine, v any, _ []any) (any, error) { return v, m.message(m.run.opts.Debug, v) })),
		"debug/1":      impure(debug),
		"stderr/0":     impure(withMachine(func(m *machine, v any, _ []any) (any, error) { return v, m.message(m.run.opts.Stderr, v) })),
		"halt/0":       impure(value(func(*values.Task, any, []any) (any, error) { return nil, &values.Halt{} })),
		"halt_error/0": impure(value(func(m *values.Task, v any, _ []any) (any, error) { return nil, halt(m, v, 5) })),
		"halt_error/1": impure(value(func(m *values.Task, v any, a []any) (any, error) { return nil, halt(m, v, a[0]) })),

		"env/0": func(c *compiler, f *syntax.Func, s *scope) *node {
			env := c.opts.Env
			if env == nil {
				env = object.New(0)
			}
			return always(env)(c, f, s)
		},
		"modulemeta/0": moduleMeta,
		"now/0":        withMachine(func(m *machine, _ any, _ []any) (any, error) { return m.now() }),
		"builtins/0":   value(func(*values.Task, any, []any) (any, error) { return builtinNames(), nil }),
		"input_filename/0": impure(withMachine(func(m *machine, _ any, _ []any) (any, error) {
			if m.run.opts.InputName == nil {
				return nil, nil
			}
			return m.run.opts.InputName(), nil
		})),
		"input_line_number/0": impure(withMachine(func(m *machine, _ any, _ []any) (any, error) {
			if m.run.opts.InputLine == nil {
				return 0, nil
			}
			return m.run.opts.InputLine(), nil
		})),
		"get_search_list/0":      searchList,
		"have_literal_numbers/0": always(true), // true because numbers keep the text that they were written in
		"have_decnum/0":          always(true),
	}
}

// searchList implements get_search_list, which returns the folders that are searched for
// modules.
func searchList(c *compiler, f *syntax.Func, s *scope) *node {
	list := []any{}
	if l, ok := c.opts.Modules.(interface{ Folders() []string }); ok {
		for _, name := range l.Folders() {
			list = append(list, name)
		}
	}
	return always(list)(c, f, s)
}

// impure marks a builtin with visible effects, which keeps the whole run in one
// goroutine.
func impure(make maker) maker {
	return func(c *compiler, f *syntax.Func, s *scope) *node {
		c.impure = true
		return make(c, f, s)
	}
}

// withMachine turns a Go function that needs the state of the run into a builtin.
func withMachine(fn machineFunc) maker {
	return func(c *compiler, f *syntax.Func, s *scope) *node { return c.apply(f, s, fn) }
}

func always(v any) maker {
	return value(func(*values.Task, any, []any) (any, error) { return v, nil })
}

// input returns the next input value. ok is false after the last one.
func (m *machine) input() (v any, ok bool, err error) {
	if m.run.opts.Input == nil {
		return nil, false, errors.New("break")
	}
	v, ok, err = m.run.opts.Input()
	if err != nil || !ok {
		return nil, false, err
	}
	size, err := m.Size(v)
	if err != nil {
		return nil, false, err
	}
	return v, true, m.Alloc(inputSize * size)
}

// inputSize is an estimate of the memory that an input value uses, in bytes per byte of
// its JSON text.
const inputSize = 6

// inputs yields the remaining input values. If an input can't be read, the query can
// catch the error like any other.
func inputs(c *compiler, f *syntax.Func, _ *scope) *node {
	at := c.mark(f.Span)
	return gen(func(m *machine, _ *env, in values.Located, y values.Yield) error {
		for {
			if err := m.Tick(); err != nil {
				return err
			}
			v, ok, err := m.input()
			switch {
			case values.IsUncatchable(err):
				return err
			case err != nil:
				return at.of(&values.ValueError{V: values.Caught(err)})
			case !ok:
				return nil
			}
			if err := y(in.Made(v)); err != nil {
				return err
			}
		}
	})
}

// message loads a value completely and passes it to the function that prints for debug or
// stderr.
func (m *machine) message(to func(any), v any) error {
	if to == nil {
		return nil
	}
	v, err := m.Deep(v)
	if err == nil {
		to(v)
	}
	return err
}

// debug implements debug(messages). It writes the messages, then yields its input.
func debug(c *compiler, f *syntax.Func, s *scope) *node {
	messages, at := c.query(f.Args[0], s), c.mark(f.Span)
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		err := messages.run(m, e, values.Plain(in), func(v values.Located) error { return at.of(m.message(m.run.opts.Debug, v.V)) })
		if err != nil {
			return err
		}
		return y(in)
	})
}

// now returns the time from which ages are calculated, in seconds since 1970 (see
// RunOptions.Now).
func (m *machine) now() (any, error) {
	if m.run.opts.Now == nil {
		return m.Gojq("now")
	}
	return m.run.opts.Now(), nil
}

func builtinNames() any {
	names := Builtins()
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

func halt(m *values.Task, v, code any) error {
	code, err := m.Deep(code)
	if err != nil {
		return err
	}
	v, err = m.Deep(v)
	if err != nil {
		return err
	}
	n, ok := native.ToInt(code)
	if !ok {
		return values.Cannot(v, "halt_error/1: "+values.NumberRequired)
	}
	return &values.Halt{Value: v, Code: n, HasValue: true}
}

// moduleMeta implements modulemeta, which returns the metadata, the definitions and the
// imports of a module.
func moduleMeta(c *compiler, f *syntax.Func, s *scope) *node {
	modules := c.opts.Modules
	return c.apply(f, s, func(m *machine, in any, _ []any) (any, error) {
		v, err := m.Force(in)
		if err != nil {
			return nil, err
		}
		name, ok := v.(string)
		if !ok {
			return nil, values.TextError("modulemeta input module name must be a string")
		}
		if modules == nil {
			return nil, fmt.Errorf("cannot load module: %q", name)
		}
		p, _, err := modules.Module(name, nil, nil)
		if err != nil {
			return nil, err
		}
		meta := metaOf(p.Query.Meta)
		meta.Set("deps", dependencies(p.Query))
		meta.Set("defs", definitions(p.Query))
		return meta, nil
	})
}

func definitions(q *syntax.Query) []any {
	defs := slices.Clone(q.FuncDefs)
	slices.SortFunc(defs, func(a, b *syntax.FuncDef) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(len(a.Args), len(b.Args)))
	})
	out := []any{}
	for _, d := range defs {
		if d.Name[0] != '_' {
			out = append(out, syntax.Key(d.Name, len(d.Args)))
		}
	}
	return out
}

func dependencies(q *syntax.Query) []any {
	out := make([]any, len(q.Imports))
	for i, im := range q.Imports {
		dep := metaOf(im.Meta)
		if im.ImportAlias != "" {
			dep.Set("as", strings.TrimPrefix(im.ImportAlias, "$"))
		}
		dep.Set("is_data", strings.HasPrefix(im.ImportAlias, "$"))
		dep.Set("relpath", cmp.Or(im.ImportPath, im.IncludePath))
		out[i] = dep
	}
	return out
}
