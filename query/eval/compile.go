package eval

import (
	"maps"
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
)

// Code is a compiled query. It may be run any number of times, also at the
// same time.
type Code struct {
	n      *node
	impure bool // it reads inputs or writes messages: nothing runs ahead
	stops  bool // a part of it may have enough before its generator ends
	opts   Options
	funcs  *native.Funcs
}

// Compile compiles a query. What is wrong with its text, or that of a module,
// is a [*syntax.Error].
func Compile(p *syntax.Program, o Options) (code *Code, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case compileError:
			code, err = nil, r.err
		default:
			panic(r)
		}
	}()
	c := &compiler{opts: &o, unit: newUnit(p, false), visible: all, natives: builtins(), texts: preludeTexts()}
	c.prelude = newUnit(&syntax.Program{Query: &syntax.Query{}, File: "prelude"}, true)
	for _, l := range o.Library {
		u := newUnit(l, true)
		u.add(l.Query.FuncDefs...)
		c.library = append(c.library, u)
	}
	c.load(c.unit, 0)
	c.check(c.unit)
	return &Code{n: c.program(p), impure: c.impure, stops: c.stops, opts: o, funcs: &native.Funcs{}}, nil
}

// program compiles the query itself, with what finishes its results behind it.
func (c *compiler) program(p *syntax.Program) *node {
	var s *scope
	for _, v := range c.opts.Variables {
		if _, ok := c.unit.data.Lookup(v); ok {
			v = "" // what is imported hides it
		}
		s = &scope{up: s, name: v}
	}
	s = &scope{up: s, name: finishing, fn: &function{body: finish}}
	if p.Query.Term == nil && p.Query.Op == 0 {
		c.fail(p.Query.Span, `missing query (try ".")`)
	}
	return c.query(finished(p.Query), s)
}

// finishing is the name, which no query can write, under which the step that
// finishes each result is called.
const finishing = "finish result/0"

var finish = one(func(m *machine, _ *env, in values.Located) (values.Located, error) {
	f := m.run.opts.Finish
	if f == nil {
		return in, nil
	}
	v, err := f(m.Ctx, in.V)
	m.Loaded()
	if err != nil {
		return in, values.NameProxy(m.Failed(err), in.V)
	}
	return values.Located{V: v}, nil
})

// finished appends that step to the end of the query's outermost pipeline, so
// that it is done wherever the results are made, ahead of the consumer too.
func finished(q *syntax.Query) *syntax.Query {
	last := &syntax.Query{Term: &syntax.Term{Type: syntax.TermFunc, Func: &syntax.Func{Name: "finish result"}}}
	if q.Op == syntax.OpPipe {
		p := *q
		p.Right = finished(q.Right)
		return &p
	}
	if t := q.Term; t != nil && t.Type == syntax.TermLabel && len(t.SuffixList) == 0 {
		inside, term := *q, *t
		term.Label = &syntax.Label{Ident: t.Label.Ident, Body: finished(t.Label.Body)}
		inside.Term = &term
		return &inside
	}
	left := *q
	left.FuncDefs = nil
	return &syntax.Query{Span: q.Span, FuncDefs: q.FuncDefs, Op: syntax.OpPipe, Left: &left, Right: last}
}

// names is what the check of names is told.
type names struct{ c *compiler }

func (n names) Has(k string) bool {
	if u, _ := n.c.resolve(k); u != nil || n.c.given(k) != nil {
		return true
	}
	_, ok := n.c.natives[k]
	return ok || n.c.texts[k] != ""
}

func (n names) Keys() []string {
	keys := map[string]bool{}
	add := func(k string) { keys[k] = true }
	n.c.unit.keys(add)
	for _, u := range n.c.library {
		u.keys(add)
	}
	for _, x := range n.c.opts.Natives {
		add(syntax.Key(x.Name, x.Arity))
	}
	for k := range n.c.natives {
		add(k)
	}
	for k := range n.c.texts {
		add(k)
	}
	maps.DeleteFunc(keys, func(k string, _ bool) bool { return k[0] == '_' })
	return slices.Sorted(maps.Keys(keys))
}

func (n names) Var(name string) bool { return slices.Contains(n.c.opts.Variables, name) }

func (n names) Vars() []string { return n.c.opts.Variables }
