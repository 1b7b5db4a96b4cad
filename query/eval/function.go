package eval

import (
	"errors"
	"strings"

	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// function is a compiled definition. Its body is filled in after the calls in
// it were compiled, as it may call itself.
type function struct {
	params []string // one that begins with $ is a value
	scopes []*scope // of the params, as queries
	body   *node
	weight int  // the stack that a call takes
	open   bool // being compiled: calls of it are recursive
	relied bool // a recursive call was compiled as giving one result
}

// withDefs compiles body in the scope of definitions.
func (c *compiler) withDefs(defs []*syntax.FuncDef, s *scope, body func(*scope) *node) *node {
	for _, d := range defs {
		fn := &function{params: d.Args, body: &node{}}
		s = &scope{up: s, name: syntax.Key(d.Name, len(d.Args)), fn: fn}
		c.fill(fn, d, s)
	}
	b := body(s)
	bind := func(e *env) *env {
		for range defs {
			e = &env{up: e} // where the function was defined: all that it needs
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

// maxGuesses bounds how often definitions inside one another are compiled
// twice.
const maxGuesses = 5

// fill compiles the body of a definition; s is the scope that ends with itself,
// or nil. That it gives one result is what a recursive function has to know of
// itself: it is taken for granted first, and compiled again when it turns out
// wrong.
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

// guessed stands for the body of a function that is being compiled. It is
// never called.
func guessed(*machine, *env, values.Located) (values.Located, error) {
	return values.Located{}, errors.New("not compiled")
}

// body compiles a definition's body with its arguments in scope: queries
// first, then the values of those that begin with $.
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
	if n.one != nil { // it hands results back, not on: less lies on the stack
		fn.weight /= 2
	}
	return n
}

type tailCall struct {
	fn *function
	e  *env
	in values.Located
}

// invoke is a call of a function with given arguments.
type invoke struct {
	fn     *function
	args   []*node
	values []int // which of the arguments are values
	depth  int   // how far up its definition is; -1: it needs no environment
}

// home is the environment of the function's definition.
func (v *invoke) home(e *env) *env {
	if v.depth < 0 {
		return nil
	}
	return e.at(v.depth)
}

// bind gives the environment of the body, its values still to come.
func (v *invoke) bind(e *env) *env {
	x := v.home(e)
	for _, a := range v.args {
		if a.arg > 0 { // handed on as it is
			was := e.at(a.arg - 1)
			x = &env{up: x, n: was.n, ne: was.ne}
			continue
		}
		x = &env{up: x, n: a, ne: e}
	}
	return x
}

// bindOne is bind when all values are single.
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

// bindEach calls use for every combination of the values; the first one varies
// most slowly.
func (v *invoke) bindEach(m *machine, e, x *env, in values.Located, i int, use func(*env) error) error {
	if i == len(v.values) {
		return use(x)
	}
	return v.args[v.values[i]].run(m, e, values.Plain(in), func(w values.Located) error {
		return v.bindEach(m, e, &env{up: x, v: w.V}, in, i+1, use)
	})
}

// wants is what the body wants of its input, where the values are known.
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

// node makes the node of the call. tail says that it is the last thing done
// by a function.
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

// one evaluates the function's body, and the calls that it ends with.
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

// run is one for bodies with any number of results.
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
