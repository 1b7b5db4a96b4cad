package eval

import (
	"math"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
)

// mathBuiltins are the functions of numbers that queries use a lot.
func mathBuiltins() map[string]builtin {
	table := map[string]builtin{
		"nan/0":      always(math.NaN()),
		"infinite/0": always(math.Inf(1)),
		"pow/2": value(func(m *mach, _ any, a []any) (any, error) {
			x, y, err := m.force2(a[0], a[1])
			if err != nil {
				return nil, err
			}
			for _, v := range []any{x, y} {
				if _, ok := native.ToFloat(v); !ok {
					return nil, cannot(v, ofNumbers)
				}
			}
			base, _ := native.ToFloat(x)
			exponent, _ := native.ToFloat(y)
			return math.Pow(base, exponent), nil
		}),
		"lgamma_r/0": forced(func(m *mach, v any, _ []any) (any, error) {
			f, ok := native.ToFloat(v)
			if !ok {
				return nil, cannot(v, ofNumbers)
			}
			g, sign := math.Lgamma(f)
			return []any{g, float64(sign)}, nil
		}),
	}
	for name, f := range map[string]func(float64) float64{
		"floor": math.Floor, "ceil": math.Ceil, "round": math.Round, "trunc": math.Trunc, "fabs": math.Abs,
		"sqrt": math.Sqrt, "log": math.Log, "log2": math.Log2, "log10": math.Log10, "exp": math.Exp, "exp2": math.Exp2,
	} {
		table[key(name, 0)] = forced(func(_ *mach, v any, _ []any) (any, error) {
			x, ok := native.ToFloat(v)
			if !ok {
				return nil, cannot(v, ofNumbers)
			}
			return f(x), nil
		})
	}
	return table
}
