package builtin

import (
	"math"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
)

// mathBuiltins returns the mathematical functions that queries use often.
func mathBuiltins() map[string]values.Func {
	table := map[string]values.Func{
		"nan/0":      func(*values.Task, any, []any) (any, error) { return math.NaN(), nil },
		"infinite/0": func(*values.Task, any, []any) (any, error) { return math.Inf(1), nil },
		"pow/2": func(m *values.Task, _ any, a []any) (any, error) {
			x, y, err := m.ForceBoth(a[0], a[1])
			if err != nil {
				return nil, err
			}
			for _, v := range []any{x, y} {
				if _, ok := native.ToFloat(v); !ok {
					return nil, values.Cannot(v, values.NumberRequired)
				}
			}
			base, _ := native.ToFloat(x)
			exponent, _ := native.ToFloat(y)
			return math.Pow(base, exponent), nil
		},
		"lgamma_r/0": forced(func(m *values.Task, v any, _ []any) (any, error) {
			f, ok := native.ToFloat(v)
			if !ok {
				return nil, values.Cannot(v, values.NumberRequired)
			}
			g, sign := math.Lgamma(f)
			return []any{g, float64(sign)}, nil
		}),
	}
	for name, f := range map[string]func(float64) float64{
		"floor": math.Floor, "ceil": math.Ceil, "round": math.Round, "trunc": math.Trunc, "fabs": math.Abs,
		"sqrt": math.Sqrt, "log": math.Log, "log2": math.Log2, "log10": math.Log10, "exp": math.Exp, "exp2": math.Exp2,
	} {
		table[syntax.Key(name, 0)] = forced(func(_ *values.Task, v any, _ []any) (any, error) {
			x, ok := native.ToFloat(v)
			if !ok {
				return nil, values.Cannot(v, values.NumberRequired)
			}
			return f(x), nil
		})
	}
	return table
}

// RangeBounds returns the start, the end and the step of range. As in jq, a range with an
// explicit step accepts any values that can be compared and added. If numeric is set, all
// bounds must be numbers.
func RangeBounds(m *values.Task, numeric bool, vs ...any) ([]any, error) {
	for i, v := range vs {
		v, err := m.Force(v)
		if err != nil {
			return nil, err
		}
		if numeric && native.TypeOf(v) != "number" {
			return nil, values.TextError("Range bounds must be numeric")
		}
		vs[i] = v
	}
	return vs, nil
}

// Count converts the argument v of limit or skip to a number of results. If v isn't a
// number, ok is false and Count returns the error that jq raises for v.
func Count(m *values.Task, name string, v any) (n float64, ok bool, err error) {
	v, err = m.Deep(v)
	if err != nil {
		return 0, false, err
	}
	if native.Compare(v, 0) < 0 {
		return 0, false, &values.ValueError{V: name + " doesn't support negative count"}
	}
	if n, ok = native.ToFloat(v); ok {
		return n, true, nil
	}
	// for its first result, jq computes v - 1, which fails with this error
	return 0, false, values.Inapplicable(syntax.OpSub, v, 1)
}
