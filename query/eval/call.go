package eval

import (
	"errors"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// call compiles a call of a function, or the use of a variable. It searches for the name
// first among the definitions around the call. Then it searches, in this order, in the
// modules, the library, the natives (the caller's Go functions in Options.Natives), the
// builtins written in Go, and the builtins written in jq.
func (c *compiler) call(f *syntax.Func, s *scope) *node { return c.callAt(f, s, false) }

func (c *compiler) callAt(f *syntax.Func, s *scope, tail bool) *node {
	if f.Name[0] == '$' {
		return c.variable(f, s)
	}
	c.nodes++
	k := syntax.Key(f.Name, len(f.Args))
	if x, d := s.find(k); x != nil {
		if x.param {
			return argument(x, d)
		}
		return c.invoke(x.fn, d, f, s, tail)
	}
	if u, i := c.resolve(k); u != nil {
		return c.closedDef(u, i, f, s)
	}
	if n := c.given(k); n != nil {
		return n.node(c, f, s)
	}
	if n, ok := c.natives[k]; ok {
		if len(f.Args) > 0 {
			c.nodes += nativeWeight
		}
		return c.mark(f.Span).placed(n(c, f, s))
	}
	if n := c.closedCall(k, f, s); n != nil {
		return n
	}
	c.fail(f.Span, "function not defined: %s", k)
	return nil
}

// nativeWeight is the stack space that a function written in Go uses before it evaluates
// its arguments, as a number of compiled nodes.
const nativeWeight = 10

// argument compiles the use of a parameter that is a query, such as f in def g(f): f | f.
// The argument is evaluated in the environment of the call that passed it.
func argument(x *scope, d int) *node {
	n := gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		a := e.at(d)
		was, err := m.Enter(values.CallWeight)
		if err != nil {
			return err
		}
		err = a.n.run(m, a.ne, in, y)
		m.Leave(was)
		return err
	})
	n.ends, n.arg = x, d+1
	n.known = func(e *env) (any, bool) {
		a := e.at(d)
		if a.n.known == nil {
			return nil, false
		}
		return a.n.known(a.ne)
	}
	return n
}

func (c *compiler) invoke(fn *function, depth int, f *syntax.Func, s *scope, tail bool) *node {
	v := &invoke{fn: fn, args: c.args(f, s), depth: depth}
	for i, p := range fn.params {
		if strings.HasPrefix(p, "$") {
			v.values = append(v.values, i)
		}
	}
	n := v.node(tail)
	n.wants = v.wants()
	if ends := fn.body.ends; ends != nil && n.gen != nil {
		for i, arg := range v.args {
			if fn.scopes[i] == ends {
				n.multi, n.ends = n.multi || arg.multi, arg.ends
			}
		}
	}
	return n
}

// closedCall compiles a call of a builtin that is written in jq. It returns nil if there
// is no such builtin.
func (c *compiler) closedCall(k string, f *syntax.Func, s *scope) *node {
	if c.texts[k] == "" {
		return nil
	}
	if _, ok := c.prelude.index[k]; !ok {
		p, err := syntax.Parse("prelude", c.texts[k])
		if err != nil {
			panic(compileError{err})
		}
		c.prelude.add(p.Query.FuncDefs...)
	}
	return c.closedDef(c.prelude, c.prelude.index[k][0], f, s)
}

// closedDef compiles a call of definition number i at the top level of a unit, for
// example of a module. Such a definition needs no environment, because it can't use local
// names.
func (c *compiler) closedDef(u *unit, i int, f *syntax.Func, s *scope) *node {
	n := c.invoke(c.closed(u, i), -1, f, s, false)
	if u.hidden {
		return c.mark(f.Span).placed(n)
	}
	return n
}

// closed returns a top-level definition of a unit as compiled code. It compiles each
// definition only once.
func (c *compiler) closed(u *unit, i int) *function {
	if fn, ok := u.done[i]; ok {
		return fn
	}
	d := u.defs[i]
	fn := &function{params: d.Args, body: &node{}}
	u.done[i] = fn
	unit, at, nodes := c.unit, c.visible, c.nodes
	c.unit, c.visible = u, i+1
	c.fill(fn, d, nil)
	c.unit, c.visible, c.nodes = unit, at, nodes
	return fn
}

// resolve finds a top-level definition by its "name/arity". It searches in the unit that
// is being compiled, in the modules that this unit imports, and in the library.
func (c *compiler) resolve(k string) (*unit, int) {
	if u, i := c.unit.find(k, c.visible); u != nil {
		return u, i
	}
	for j := c.libraries() - 1; j >= 0; j-- {
		if u, i := c.library[j].find(k, all); u != nil {
			return u, i
		}
	}
	return nil, 0
}

// libraries returns how many units of the library are visible to the unit that is being
// compiled. A unit sees only the library units before it. The prelude (the builtins
// written in jq) sees none.
func (c *compiler) libraries() int {
	if c.unit == c.prelude {
		return 0
	}
	for j, u := range c.library {
		if u == c.unit {
			return j
		}
	}
	return len(c.library)
}

// given returns the native (a Go function in Options.Natives) with this name, or nil.
func (c *compiler) given(k string) *Native {
	if c.unit == c.prelude {
		return nil
	}
	for i := range c.opts.Natives {
		if n := &c.opts.Natives[i]; syntax.Key(n.Name, n.Arity) == k {
			return n
		}
	}
	return nil
}

// isBuiltin reports whether a name refers to the builtin function, because no definition
// replaces the builtin.
func (c *compiler) isBuiltin(k string, s *scope) bool {
	if x, _ := s.find(k); x != nil {
		return false
	}
	u, _ := c.resolve(k)
	return u == nil && c.given(k) == nil
}

func (c *compiler) variable(f *syntax.Func, s *scope) *node {
	if x, d := s.find(f.Name); x != nil {
		n := one(func(_ *machine, e *env, in values.Located) (values.Located, error) { return in.Made(e.at(d).v), nil })
		n.known = func(e *env) (any, bool) { return e.at(d).v, true }
		return n
	}
	if v, ok := c.unit.data.Lookup(f.Name); ok {
		return constant(v)
	}
	switch f.Name {
	case "$ENV":
		return c.call(&syntax.Func{Span: f.Span, Name: "env"}, nil)
	case "$__loc__":
		return constant(locationOf(c, f.Span))
	}
	c.fail(f.Span, "variable not defined: %s", f.Name)
	return nil
}

// locationOf returns the value of jq's $__loc__, an object with the file and the line.
func locationOf(c *compiler, at syntax.Span) any {
	file := c.unit.prog.File
	if file == "" {
		file = "<top-level>"
	}
	line, _ := c.unit.prog.LineCol(at.Start)
	return object.Of("file", file, "line", line)
}

// args compiles each argument of a call as a query.
func (c *compiler) args(f *syntax.Func, s *scope) []*node {
	ns := make([]*node, len(f.Args))
	for i, a := range f.Args {
		ns[i] = c.query(a, s)
	}
	return ns
}

// apply compiles a call of a Go function. If arguments have several results, the function
// is called for every combination, and the last argument varies most slowly. apply loads
// neither the input nor the arguments. The function must not keep the slice args.
func (c *compiler) apply(f *syntax.Func, s *scope, fn machineFunc) *node {
	args, at := c.args(f, s), c.mark(f.Span)
	if !single(args...) {
		return applyEach(args, at, fn)
	}
	return one(func(m *machine, e *env, in values.Located) (values.Located, error) {
		var vs []any
		if len(args) > 0 {
			vs = make([]any, len(args))
		}
		for i := len(args) - 1; i >= 0; i-- {
			v, err := args[i].one(m, e, values.Plain(in))
			if err != nil {
				return v, err
			}
			vs[i] = v.V
		}
		v, err := fn(m, in.V, vs)
		if err != nil {
			return in, values.NameProxy(at.of(err), in.V)
		}
		return in.Made(v), nil
	})
}

func applyEach(args []*node, at *place, fn machineFunc) *node {
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		return m.combine(e, in, args, false, func(vs []any) error {
			v, err := fn(m, in.V, slices.Clone(vs))
			if err != nil {
				return values.NameProxy(at.of(err), in.V)
			}
			return y(in.Made(v))
		})
	})
}

// combine calls the function use for every combination of the results of the arguments
// args. The last argument varies most slowly, or, if firstSlowest is set, the first one.
// All calls receive the same slice, so a function that keeps the slice must copy it.
func (m *machine) combine(e *env, in values.Located, args []*node, firstSlowest bool, use func([]any) error) error {
	vs := make([]any, len(args))
	var each func(done int) error
	each = func(done int) error {
		if done == len(args) {
			return use(vs)
		}
		i := done
		if !firstSlowest {
			i = len(args) - 1 - done
		}
		return args[i].run(m, e, values.Plain(in), func(v values.Located) error {
			vs[i] = v.V
			return each(done + 1)
		})
	}
	return each(0)
}

// machineFunc is a Go function that implements a builtin and needs the state of the run.
type machineFunc = func(m *machine, in any, args []any) (any, error)

// node compiles a call of a native, a Go function in Options.Natives.
func (n *Native) node(c *compiler, f *syntax.Func, s *scope) *node {
	if n.Value != nil {
		return c.apply(f, s, n.value)
	}
	args, at := c.args(f, s), c.mark(f.Span)
	return &node{multi: true, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		return m.combine(e, in, args, false, func(vs []any) error {
			a := &apart{y: y}
			err := n.Each(m.called(in.V, slices.Clone(vs)), func(v any) error {
				m.Loaded()
				return m.Step(v, in.Made(v), a.yield)
			})
			m.Loaded()
			if err, passed := a.passed(err); passed || err == nil {
				return err
			}
			return values.NameProxy(at.of(m.Failed(err)), in.V)
		})
	}}
}

func (n *Native) value(m *machine, in any, args []any) (any, error) {
	v, err := n.Value(m.called(in, args))
	m.Loaded()
	if err != nil {
		return nil, m.Failed(err)
	}
	return v, nil
}

func (m *machine) called(in any, args []any) *Call {
	return &Call{Ctx: m.Ctx, In: in, Args: args, Note: func(s string) { m.Report(ahead.Event{Note: s}) }, Fault: func(f *mesh.Fault) { _ = m.Failed(f) }}
}

// function is a compiled definition. A recursive function refers to itself, so body is
// filled in only after the calls inside the body were compiled.
type function struct {
	params []string // names of the parameters; a name with $ takes a value, one without takes a query
	scopes []*scope // entries of the parameters that take a query, in the compile-time scope
	body   *node
	weight int  // stack space of a call, as a number of compiled nodes
	open   bool // true while the body is being compiled; a call of the function is recursive then
	relied bool // whether a recursive call was compiled on the assumption that the function yields exactly one result
}

// withDefs compiles a query in which the definitions defs are visible.
func (c *compiler) withDefs(defs []*syntax.FuncDef, s *scope, body func(*scope) *node) *node {
	for _, d := range defs {
		fn := &function{params: d.Args, body: &node{}}
		s = &scope{up: s, name: syntax.Key(d.Name, len(d.Args)), fn: fn}
		c.fill(fn, d, s)
	}
	b := body(s)
	bind := func(e *env) *env {
		for range defs {
			// each entry of the compile-time scope needs an entry in the environment,
			// even an empty one
			e = &env{up: e}
		}
		return e
	}
	if b.one != nil {
		return one(func(m *machine, e *env, in values.Located) (values.Located, error) { return b.one(m, bind(e), in) })
	}
	n := &node{multi: b.multi, ends: b.ends, gen: func(m *machine, e *env, in values.Located, y values.Yield) error { return b.gen(m, bind(e), in, y) }}
	if w := b.wants; w != nil {
		n.wants = &predicate{w.by, func(m *machine, e *env) (demand.Names, bool) { return w.of(m, bind(e)) }}
	}
	return n
}

// maxGuesses is the nesting depth of definitions up to which a definition may be compiled
// twice (see fill). Without this limit, compiling could take exponential time.
const maxGuesses = 5

// fill compiles the body of a definition. s is the scope that ends with the definition
// itself; it is nil for a top-level definition. A recursive call is compiled differently
// if the function yields exactly one result, which is unknown until the body is compiled.
// fill first assumes that it does. If the assumption was wrong, fill compiles the body
// again.
func (c *compiler) fill(fn *function, d *syntax.FuncDef, s *scope) {
	fn.open = true
	impure, stops := c.impure, c.stops
	if c.guesses < maxGuesses {
		c.guesses++
		fn.body.one = guessed
		body := c.body(d, fn, s)
		c.guesses--
		if body.one != nil || !fn.relied {
			fn.close(body)
			return
		}
		c.impure, c.stops = impure, stops
	}
	fn.body.one = nil
	fn.close(c.body(d, fn, s))
}

func (fn *function) close(body *node) {
	*fn.body = *body
	fn.open = false
}

// guessed is a placeholder for the body of a function while the function is being
// compiled. It is never called.
func guessed(*machine, *env, values.Located) (values.Located, error) {
	return values.Located{}, errors.New("not compiled")
}

// body compiles the body of a definition. The scope of the body contains first the
// parameters that take queries, then the variables for the parameters whose names begin
// with $.
func (c *compiler) body(d *syntax.FuncDef, fn *function, s *scope) *node {
	before := c.nodes
	fn.scopes = nil
	for _, p := range d.Args {
		s = &scope{up: s, name: strings.TrimPrefix(p, "$") + "/0", param: true}
		fn.scopes = append(fn.scopes, s)
	}
	for _, p := range d.Args {
		if p[0] == '$' {
			s = &scope{up: s, name: p}
		}
	}
	n := c.queryAt(d.Body, s, true)
	fn.weight = values.CallWeight + c.nodes - before
	// a node that returns its one result uses less stack than a node that passes results
	// to a callback
	if n.one != nil {
		fn.weight /= 2
	}
	return n
}

type tailCall struct {
	fn *function
	e  *env
	in values.Located
}

// invoke is a compiled call: the function and its arguments.
type invoke struct {
	fn     *function
	args   []*node
	values []int // indexes of the arguments that are evaluated before the call, for parameters with $
	depth  int   // number of environments between the call and the definition; -1 if the function needs no environment
}

// home returns the environment in which the called function was defined.
func (v *invoke) home(e *env) *env {
	if v.depth < 0 {
		return nil
	}
	return e.at(v.depth)
}

// bind returns the environment in which the function's body is evaluated, with all
// arguments that are passed as queries. The caller adds the arguments that are passed as
// values.
func (v *invoke) bind(e *env) *env {
	x := v.home(e)
	for _, a := range v.args {
		// the argument is itself a parameter of the calling function, so it keeps its
		// original environment
		if a.arg > 0 {
			was := e.at(a.arg - 1)
			x = &env{up: x, n: was.n, ne: was.ne}
			continue
		}
		x = &env{up: x, n: a, ne: e}
	}
	return x
}

// bindOne returns the environment in which the function's body is evaluated, with all
// arguments. It requires that each argument that is passed as a value yields exactly one
// result.
func (v *invoke) bindOne(m *machine, e *env, in values.Located) (*env, error) {
	x := v.bind(e)
	for _, i := range v.values {
		w, err := v.args[i].one(m, e, values.Plain(in))
		if err != nil {
			return nil, err
		}
		x = &env{up: x, v: w.V}
	}
	return x, nil
}

// bindEach calls the function use for every combination of the results of the arguments
// that are passed as values. The function receives the environment for evaluating the
// called function's body. The first argument varies most slowly.
func (v *invoke) bindEach(m *machine, e, x *env, in values.Located, i int, use func(*env) error) error {
	if i == len(v.values) {
		return use(x)
	}
	return v.args[v.values[i]].run(m, e, values.Plain(in), func(w values.Located) error {
		return v.bindEach(m, e, &env{up: x, v: w.V}, in, i+1, use)
	})
}

// wants returns the first condition of the function's body on a field of its input.
// Evaluating the condition in advance requires that the arguments that are passed as
// values are constant.
func (v *invoke) wants() *predicate {
	w := v.fn.body.wants
	if w == nil {
		return nil
	}
	return &predicate{w.by, func(m *machine, e *env) (demand.Names, bool) {
		x := v.bind(e)
		for _, i := range v.values {
			known := v.args[i].known
			if known == nil {
				return demand.Names{}, false
			}
			value, ok := known(e)
			if !ok {
				return demand.Names{}, false
			}
			x = &env{up: x, v: value}
		}
		return w.of(m, x)
	}}
}

func (v *invoke) singleValues() bool {
	for _, i := range v.values {
		if v.args[i].one == nil {
			return false
		}
	}
	return true
}

// node returns the code for the call. tail is set if the call is the last step of the
// calling function, so that the call needs no additional stack.
func (v *invoke) node(tail bool) *node {
	direct := v.singleValues()
	if direct && v.fn.body.one != nil {
		if v.fn.open {
			v.fn.relied = true
		}
		if tail && v.fn.open {
			return one(v.tailOne)
		}
		return one(v.one)
	}
	if direct && tail && v.fn.open {
		return gen(v.tailGen)
	}
	multi := v.fn.body.multi
	if direct {
		return &node{multi: multi, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
			x, err := v.bindOne(m, e, in)
			if err != nil {
				return err
			}
			return v.fn.run(m, x, in, y)
		}}
	}
	return &node{multi: multi, gen: func(m *machine, e *env, in values.Located, y values.Yield) error {
		return v.bindEach(m, e, v.bind(e), in, 0, func(x *env) error { return v.fn.run(m, x, in, y) })
	}}
}

func (v *invoke) tailOne(m *machine, e *env, in values.Located) (values.Located, error) {
	x, err := v.bindOne(m, e, in)
	if err == nil {
		m.next, err = tailCall{v.fn, x, in}, values.ErrTail
	}
	return in, err
}

func (v *invoke) tailGen(m *machine, e *env, in values.Located, _ values.Yield) error {
	_, err := v.tailOne(m, e, in)
	return err
}

func (m *machine) takeNext() tailCall {
	t := m.next
	m.next = tailCall{}
	return t
}

// one evaluates the called function, which yields exactly one result. Calls in tail
// position are made in a loop, so that they use no stack.
func (v *invoke) one(m *machine, e *env, in values.Located) (values.Located, error) {
	x, err := v.bindOne(m, e, in)
	if err != nil {
		return in, err
	}
	fn := v.fn
	was, err := m.Enter(fn.weight)
	if err != nil {
		return in, err
	}
	out, err := fn.body.one(m, x, in)
	m.Leave(was)
	for err == values.ErrTail {
		if err = m.Tick(); err != nil {
			break
		}
		t := m.takeNext()
		if was, err = m.Enter(t.fn.weight); err != nil {
			break
		}
		out, err = t.fn.body.one(m, t.e, t.in)
		m.Leave(was)
	}
	return out, err
}

// run does the same as the method one, for a function with any number of results.
func (fn *function) run(m *machine, x *env, in values.Located, y values.Yield) error {
	was, err := m.Enter(fn.weight)
	if err != nil {
		return err
	}
	err = fn.body.run(m, x, in, y)
	m.Leave(was)
	for err == values.ErrTail {
		if err = m.Tick(); err != nil {
			break
		}
		t := m.takeNext()
		if was, err = m.Enter(t.fn.weight); err != nil {
			break
		}
		err = t.fn.body.run(m, t.e, t.in, y)
		m.Leave(was)
	}
	return err
}
