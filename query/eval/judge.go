package eval

import (
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
)

// judgeBuiltins returns the builtins for queries that check something. Such a query also
// yields a result for each part of the mesh that could not be read.
func judgeBuiltins() map[string]maker {
	return map[string]maker{"_judged/2": judged, "_apart/1": apartBuiltin}
}

// judged compiles _judged(f; unknown), which evaluates the check f. It yields the results
// of f, and collects the faults (failed loads) that occur in f. Then it calls unknown
// once for each proxy with faults. The input of unknown is {proxy, subject, message};
// proxy is null for faults of the whole mesh. Each result of f is loaded completely, so
// that its faults occur while f runs. Faults are also reported to the user, as usual. If
// f raises an error, f ends and the error counts as a fault. So one check never ends the
// others.
func judged(c *compiler, f *syntax.Func, s *scope) *node {
	body, unknown := c.query(f.Args[0], s), c.query(f.Args[1], s)
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		if m.Scout { // a scout's results are dropped, so this part can be omitted
			return body.run(m, e, in, y)
		}
		j := m.Judge()
		a := &apart{y: y}
		err, passed := a.passed(body.run(m, e, in, func(v values.Located) error {
			whole, err := m.Deep(v.V)
			if err != nil {
				return err
			}
			return j.Outside(func() error { return a.yield(in.Made(whole)) })
		}))
		j.End()
		if passed {
			return err
		}
		if err != nil && !j.Takes(err) {
			return err
		}
		for _, missing := range j.Missing() {
			if err := unknown.run(m, e, in.Made(missing), y); err != nil {
				return err
			}
		}
		return nil
	})
}

// apartBuiltin compiles the internal function _apart(f). It yields the results of f. If a
// load fails in f, only f ends, and the query around it continues.
func apartBuiltin(c *compiler, f *syntax.Func, s *scope) *node {
	body := c.query(f.Args[0], s)
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		a := &apart{y: y}
		err, passed := a.passed(body.run(m, e, in, a.yield))
		if !passed && values.AsFault(err) != nil && m.Ctx.Err() == nil {
			return nil
		}
		return err
	})
}
