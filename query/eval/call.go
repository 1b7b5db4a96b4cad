package eval

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// call compiles a call of a function, or a variable. A name is looked for
// among the definitions around it, in the modules, the library, the natives
// that were given, the builtins written in Go, and those written in jq.
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

// nativeWeight is what a function written in Go adds to the stack between
// itself and its arguments, in nodes.
const nativeWeight = 10

// argument evaluates an argument that is a query, where it was written.
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

// closedCall is a call of a builtin that is written in jq; nil when there is
// none of that name.
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

// closedDef is a call of a definition that stands at the top of a unit, and
// needs no environment.
func (c *compiler) closedDef(u *unit, i int, f *syntax.Func, s *scope) *node {
	n := c.invoke(c.closed(u, i), -1, f, s, false)
	if u.hidden {
		return c.mark(f.Span).placed(n)
	}
	return n
}

// closed compiles a definition of a unit, once.
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

// resolve finds a definition at the top of the unit that is being compiled, in
// the modules it imports, or in the library.
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

// libraries tells how many units of the library can be seen: those before the
// one that is being compiled, and none from the prelude.
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

// given finds a native of the options.
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

// isBuiltin tells whether a name means the builtin.
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
		return constant(c.location(f.Span))
	}
	c.fail(f.Span, "variable not defined: %s", f.Name)
	return nil
}

// location is $__loc__, as jq has it.
func (c *compiler) location(at syntax.Span) any {
	file := c.unit.prog.File
	if file == "" {
		file = "<top-level>"
	}
	line, _ := c.unit.prog.LineCol(at.Start)
	return object.Of("file", file, "line", line)
}
