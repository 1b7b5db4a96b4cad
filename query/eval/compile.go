package eval

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Code is a compiled query. It may be run any number of times, also by several goroutines
// at once.
type Code struct {
	n      *node
	impure bool // whether the query reads inputs or prints messages; then everything runs in one goroutine
	stops  bool // whether a part of the query, such as first(f), may stop a generator early
	opts   Options
	funcs  *native.Funcs
}

// Compile compiles a query. If the text of the query or of a module contains an error,
// Compile returns a [*syntax.Error].
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

// program compiles the query itself, followed by the internal step that finishes each
// result.
func (c *compiler) program(p *syntax.Program) *node {
	var s *scope
	for _, v := range c.opts.Variables {
		if _, ok := c.unit.data.Lookup(v); ok {
			v = "" // an import with the same name hides the variable
		}
		s = &scope{up: s, name: v}
	}
	s = &scope{up: s, name: finishing, fn: &function{body: finish}}
	if p.Query.Term == nil && p.Query.Op == 0 {
		c.fail(p.Query.Span, `missing query (try ".")`)
	}
	return c.query(finished(p.Query), s)
}

// finishing is the name of the internal function that applies RunOptions.Finish to each
// result. The name contains spaces, so no query can call this function.
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

// finished appends the step that finishes each result to the end of the query's outermost
// pipeline. As a part of the pipeline, the step runs in the worker that computes the
// result, so several results are finished concurrently.
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

// names lists all defined functions and variables, for the syntax checker.
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

// compiler turns a syntax tree into nodes, which are closures. It resolves every name, so
// nothing is looked up by name while the query runs.
type compiler struct {
	opts    *Options
	unit    *unit // the unit (query, module or library program) that is being compiled
	visible int   // number of definitions of this unit that are visible so far
	natives map[string]maker
	texts   map[string]string // texts of the builtins written in jq that are not parsed yet
	prelude *unit
	library []*unit
	impure  bool // whether the query reads inputs or prints messages; then everything must run in one goroutine
	stops   bool // whether a part of the query may stop a generator early
	nodes   int  // number of nodes compiled so far
	guesses int  // number of functions being compiled on the assumption that they yield exactly one result
}

// maker compiles a call of a builtin that is written in Go.
type maker = func(c *compiler, f *syntax.Func, s *scope) *node

// compileError is the panic value that ends a compilation. Compile recovers from the
// panic and returns err.
type compileError struct{ err error }

// fail ends the compilation with an error at the given position of the query's text.
func (c *compiler) fail(at syntax.Span, format string, args ...any) {
	p := c.unit.prog
	panic(compileError{&syntax.Error{Span: at, File: p.File, Src: p.Src, Msg: fmt.Sprintf(format, args...)}})
}

// mark returns the position that errors of the compiled code report. It returns nil in
// code that the user didn't write, such as the library.
func (c *compiler) mark(at syntax.Span) *place {
	if c.unit.hidden || at.End == 0 {
		return nil
	}
	return &place{span: at, prog: c.unit.prog}
}

// unit is one text: the query, a module, a library program, or the builtins written in
// jq. In all units except the query, a top-level definition needs no environment, and can
// call only the definitions before it.
type unit struct {
	prog    *syntax.Program
	place   any  // location of a module, to which the paths of its imports are relative
	hidden  bool // whether errors must not refer to positions in this unit, because the user didn't write it
	defs    []*syntax.FuncDef
	index   map[string][]int // indexes of the definitions with each "name/arity", in the order of the text
	done    map[int]*function
	imports []imported
	data    *object.Object // data of the imported JSON files, by variable name such as "$name"
}

// imported is a unit that another unit imports with an alias, or includes without an
// alias.
type imported struct {
	alias string
	unit  *unit
}

// all is larger than the number of definitions in any unit. It is used to make all
// definitions of a unit visible.
const all = 1 << 30

func newUnit(p *syntax.Program, hidden bool) *unit {
	return &unit{prog: p, hidden: hidden, index: map[string][]int{}, done: map[int]*function{}, data: object.New(0)}
}

func (u *unit) add(defs ...*syntax.FuncDef) {
	for _, d := range defs {
		k := syntax.Key(d.Name, len(d.Args))
		u.index[k] = append(u.index[k], len(u.defs))
		u.defs = append(u.defs, d)
	}
}

// find returns a definition with this name, the last one among the first definitions of
// the unit. The parameter before is the number of definitions that are searched. If none
// of them has the name, find returns the definition from an imported unit.
func (u *unit) find(k string, before int) (*unit, int) {
	places := u.index[k]
	for j := len(places) - 1; j >= 0; j-- {
		if places[j] < before {
			return u, places[j]
		}
	}
	for j := len(u.imports) - 1; j >= 0; j-- {
		im := u.imports[j]
		name := k
		if im.alias != "" {
			var ok bool
			if name, ok = strings.CutPrefix(k, im.alias+"::"); !ok {
				continue
			}
		}
		if found, i := im.unit.find(name, all); found != nil {
			return found, i
		}
	}
	return nil, 0
}

// keys calls f with every "name/arity" for which the method find returns a definition.
func (u *unit) keys(f func(string)) {
	for k := range u.index {
		f(k)
	}
	for _, im := range u.imports {
		im.unit.keys(func(k string) {
			if im.alias != "" {
				k = im.alias + "::" + k
			}
			f(k)
		})
	}
}

// maxImports limits how deeply modules may import one another. The limit also stops a
// module that imports itself.
const maxImports = 64

// load loads all modules that a unit imports, and those that they import.
func (c *compiler) load(u *unit, depth int) {
	was := c.unit
	c.unit = u
	defer func() { c.unit = was }()
	for _, im := range u.prog.Query.Imports {
		path := im.ImportPath + im.IncludePath
		if c.opts.Modules == nil {
			c.fail(im.Span, "cannot load module: %q", path)
		}
		if depth >= maxImports {
			c.fail(im.Span, "module %q: imports are nested too deep", path)
		}
		if strings.HasPrefix(im.ImportAlias, "$") {
			v, err := c.opts.Modules.Data(path, search(im), u.place)
			c.failed(im, err)
			u.data.Set(im.ImportAlias, v)
			u.data.Set(im.ImportAlias+"::"+im.ImportAlias[1:], v)
			continue
		}
		p, place, err := c.opts.Modules.Module(path, search(im), u.place)
		c.failed(im, err)
		m := newUnit(p, false)
		m.place = place
		c.load(m, depth+1)
		c.check(m)
		m.add(p.Query.FuncDefs...)
		u.imports = append(u.imports, imported{im.ImportAlias, m})
	}
}

// check ends the compilation with an error if the unit uses a name that isn't defined.
func (c *compiler) check(u *unit) {
	was := c.unit
	c.unit = u
	errs := syntax.Check(u.prog, names{c})
	c.unit = was
	if len(errs) > 0 {
		panic(compileError{errs[0]})
	}
}

// failed ends the compilation because a module could not be loaded. If the module's text
// contains an error, the error keeps its position in that text.
func (c *compiler) failed(im *syntax.Import, err error) {
	if err == nil {
		return
	}
	if e, ok := err.(*syntax.Error); ok {
		panic(compileError{e})
	}
	c.fail(im.Span, "%s", fmt.Sprint(err))
}

// search returns the member "search" of an import's metadata, or nil.
func search(im *syntax.Import) any {
	if im.Meta == nil {
		return nil
	}
	return metaOf(im.Meta).Get("search")
}

// constantOf converts a constant in an import's or a module's metadata to a value.
func constantOf(t *syntax.ConstTerm) any {
	switch {
	case t.Object != nil:
		return metaOf(t.Object)
	case t.Array != nil:
		out := make([]any, len(t.Array.Elems))
		for i, x := range t.Array.Elems {
			out[i] = constantOf(x)
		}
		return out
	case t.Number != "":
		return native.Number(t.Number)
	case t.Null:
		return nil
	case t.True:
		return true
	case t.False:
		return false
	}
	return t.Str
}

// metaOf converts the metadata of a module or an import to an object.
func metaOf(o *syntax.ConstObject) *object.Object {
	out := object.New(0)
	if o == nil {
		return out
	}
	for _, kv := range o.KeyVals {
		k := kv.Key
		if k == "" {
			k = kv.KeyString
		}
		out.Set(k, constantOf(kv.Val))
	}
	return out
}

// env is an environment: at run time, it contains the values of the names in a scope. It
// is a linked list with one entry for each entry of the compile-time [scope]. An entry
// contains a variable, an argument that is a query, or nothing (for a definition).
type env struct {
	up *env
	v  any   // value of a variable
	n  *node // the compiled code of an argument that is a query
	ne *env  // environment of the call that passed this argument; the argument is evaluated in it
}

// at returns the entry that is d entries up in the linked list.
func (e *env) at(d int) *env {
	for ; d > 0; d-- {
		e = e.up
	}
	return e
}

// scope records, at compile time, the meaning of each visible name. It is a linked list
// with one entry for each name.
type scope struct {
	up    *scope
	name  string    // the name, in one of the forms "$x", "f/1" and "label x"
	fn    *function // the definition, if the name is that of a function
	param bool      // whether the name is a parameter that takes a query
}

// find returns the nearest entry with this name, and how many entries up it is. It
// returns nil if there is none.
func (s *scope) find(name string) (*scope, int) {
	d := 0
	for x := s; x != nil; x = x.up {
		if x.name == name {
			return x, d
		}
		d++
	}
	return nil, 0
}
