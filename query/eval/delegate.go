package eval

import (
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
)

// What an element of an array and a short string in one take, in bytes.
const (
	itemSize = 16
	textSize = 32
)

// fallback has gojq evaluate an expression of $a to $d, whose input is $a, on
// the values, which are loaded first. It does what is rare, and words all
// errors.
func (m *mach) fallback(expr string, vs ...any) (any, error) {
	vs, err := m.deepAll(vs)
	if err != nil {
		return nil, err
	}
	return m.gojq(expr, vs...)
}

func (m *mach) deepAll(vs []any) ([]any, error) {
	out := make([]any, len(vs))
	for i, v := range vs {
		w, err := m.deep(v)
		if err != nil {
			return nil, err
		}
		out[i] = w
	}
	return out, nil
}

// gojq is fallback for values that hold nothing lazy.
func (m *mach) gojq(expr string, vs ...any) (any, error) {
	return m.run.funcs.Call(m.ctx, expr, vs...)
}

// delegated are the functions that gojq does, under their number of arguments:
// they look at all of their input and arguments, and give one value.
var delegated = [...]string{
	`acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp exp10 exp2 expm1 fabs floor frexp gamma j0 j1 lgamma log log10 log1p log2
		logb modf nearbyint rint round significand sin sinh sqrt tan tanh tgamma trunc y0 y1
		infinite isfinite isinfinite isnan isnormal nan
		ascii_downcase ascii_upcase explode fromjson implode ltrim rtrim toboolean tonumber trim utf8bytelength
		_tobase64 _tobase64d _tocsv _tohtml _tosh _totsv _touri _tourid
		gmtime localtime mktime _plus _negate`,
	`contains format index indices inside join rindex split strflocaltime strftime strptime`,
	`atan2 copysign drem fdim fmax fmin fmod hypot jn ldexp nextafter nexttoward pow remainder scalb scalbln yn`,
	`fma`,
}

// delegation gives the functions that gojq does.
func delegation(table map[string]builtin) {
	calls := [...]string{"", "($b)", "($b; $c)", "($b; $c; $d)"}
	for arity, names := range delegated {
		for name := range strings.FieldsSeq(names) {
			table[key(name, arity)] = delegate(name + calls[arity])
		}
	}
}

func delegate(expr string) builtin {
	return func(c *compiler, f *syntax.Func, s *scope) *node {
		return c.apply(f, s, func(m *mach, in any, args []any) (any, error) {
			vs := make([]any, 0, 4)
			return m.delegated(expr, append(append(vs, in), args...))
		})
	}
}

// delegated loads the values and accounts for a result that is larger than
// they are.
func (m *mach) delegated(expr string, vs []any) (any, error) {
	size := 0
	for i, v := range vs {
		v, err := m.deep(v)
		if err != nil {
			return nil, err
		}
		vs[i] = v
		n, err := m.extent(v)
		if err != nil {
			return nil, err
		}
		size += n
	}
	if err := m.alloc(size); err != nil {
		return nil, err
	}
	return m.gojq(expr, vs...)
}
