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
