package eval

import (
	"slices"

	"github.com/meshq/kubectl-meshq/query/syntax"
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
func (c *compiler) apply(f *syntax.Func, s *scope, fn func(m *mach, in any, args []any) (any, error)) *node {
	args, at := c.args(f, s), c.mark(f.Span)
	if !single(args...) {
		return applyEach(args, at, fn)
	}
	return one(func(m *mach, e *env, in pv) (pv, error) {
		var vs []any
		if len(args) > 0 {
			vs = make([]any, len(args))
		}
		for i := len(args) - 1; i >= 0; i-- {
			v, err := args[i].one(m, e, plain(in))
			if err != nil {
				return v, err
			}
			vs[i] = v.v
		}
		v, err := fn(m, in.v, vs)
		if err != nil {
			return in, about(at.of(err), in.v)
		}
		return in.val(v), nil
	})
}

func applyEach(args []*node, at *place, fn func(m *mach, in any, args []any) (any, error)) *node {
	return gen(func(m *mach, e *env, in pv, y yield) error {
		return m.combine(e, in, args, func(vs []any) error {
			v, err := fn(m, in.v, slices.Clone(vs))
			if err != nil {
				return about(at.of(err), in.v)
			}
			return y(in.val(v))
		})
	})
}

// combine calls use for every combination of the results of args; the last
// one varies most slowly. The slice is used again.
func (m *mach) combine(e *env, in pv, args []*node, use func([]any) error) error {
	vs := make([]any, len(args))
	var each func(i int) error
	each = func(i int) error {
		if i < 0 {
			return use(vs)
		}
		return args[i].run(m, e, plain(in), func(v pv) error {
			vs[i] = v.v
			return each(i - 1)
		})
	}
	return each(len(args) - 1)
}
