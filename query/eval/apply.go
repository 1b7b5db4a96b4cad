package eval

import (
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// args compiles the arguments of a call, as queries.
func (c *compiler) args(f *syntax.Func, s *scope) []*node {
	ns := make([]*node, len(f.Args))
	for i, a := range f.Args {
		ns[i] = c.query(a, s)
	}
	return ns
}

// apply calls a function of values, for every combination of the results of
// its arguments; the last one varies most slowly. Neither the input nor the
// arguments are forced. fn must not keep args.
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
		return m.combine(e, in, args, func(vs []any) error {
			v, err := fn(m, in.V, slices.Clone(vs))
			if err != nil {
				return values.NameProxy(at.of(err), in.V)
			}
			return y(in.Made(v))
		})
	})
}

// combine calls use for every combination of the results of args; the last
// one varies most slowly. The slice is used again.
func (m *machine) combine(e *env, in values.Located, args []*node, use func([]any) error) error {
	vs := make([]any, len(args))
	var each func(i int) error
	each = func(i int) error {
		if i < 0 {
			return use(vs)
		}
		return args[i].run(m, e, values.Plain(in), func(v values.Located) error {
			vs[i] = v.V
			return each(i - 1)
		})
	}
	return each(len(args) - 1)
}

// machineFunc is a function of values that needs the machine.
type machineFunc = func(m *machine, in any, args []any) (any, error)
