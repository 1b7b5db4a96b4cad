package eval

import (
	"encoding/json"
	"math"
	"math/big"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// An operation is what stands between two values. It looks into them itself.
type operation = func(m *mach, a, b any) (any, error)

// binary gives what an arithmetic operator or a comparison does.
func binary(op syntax.Operator) operation {
	switch op {
	case syntax.OpAdd:
		return add
	case syntax.OpSub:
		of := arithmetic(op, subtract)
		minus := absentAsList(func(m *mach, a any, b []any) (any, error) { return of(m, a, b[0]) })
		return func(m *mach, a, b any) (any, error) { return minus(m, a, []any{b}) }
	case syntax.OpMul:
		return arithmetic(op, multiply)
	case syntax.OpDiv:
		return arithmetic(op, divide)
	case syntax.OpMod:
		return arithmetic(op, nil)
	case syntax.OpEq:
		return func(m *mach, a, b any) (any, error) { return asAny(m.equal(a, b)) }
	case syntax.OpNe:
		return func(m *mach, a, b any) (any, error) {
			eq, err := m.equal(a, b)
			return !eq, err
		}
	}
	return comparison(op)
}

func asAny(b bool, err error) (any, error) { return b, err }

func comparison(op syntax.Operator) operation {
	holds := map[syntax.Operator]func(int) bool{
		syntax.OpLt: func(c int) bool { return c < 0 },
		syntax.OpLe: func(c int) bool { return c <= 0 },
		syntax.OpGt: func(c int) bool { return c > 0 },
		syntax.OpGe: func(c int) bool { return c >= 0 },
	}[op]
	return func(m *mach, a, b any) (any, error) {
		c, err := m.compare(a, b)
		return holds(c), err
	}
}

// arithmetic does numbers itself, hands containers and strings to rest, and
// what neither knows, every error among it, to gojq.
func arithmetic(op syntax.Operator, rest func(m *mach, a, b any) (v any, ok bool, err error)) operation {
	expr := "$a " + op.String() + " $b"
	return func(m *mach, a, b any) (any, error) {
		a, b, err := m.force2(a, b)
		if err != nil {
			return nil, err
		}
		if v, ok := numbers(op, a, b); ok {
			return v, nil
		}
		if rest != nil {
			if v, ok, err := rest(m, a, b); ok || err != nil {
				return v, err
			}
		}
		return m.rare(op, expr, a, b)
	}
}

// rare has gojq do an operation on numbers, or say what is wrong with strings.
// Other values don't go together: that is known without loading them.
func (m *mach) rare(op syntax.Operator, expr string, a, b any) (any, error) {
	if scalar(a) && scalar(b) {
		if err := m.allocNumber(a, b); err != nil {
			return nil, err
		}
		v, err := m.fallback(expr, a, b)
		if asWords(err) {
			err = inapplicable(op, a, b)
		}
		return v, err
	}
	return nil, inapplicable(op, a, b)
}

// scalar tells whether a forced value has nothing inside.
func scalar(v any) bool {
	switch v.(type) {
	case []any, *object.Object:
		return false
	}
	return true
}

func (m *mach) force2(a, b any) (any, any, error) {
	a, err := m.force(a)
	if err != nil {
		return nil, nil, err
	}
	b, err = m.force(b)
	return a, b, err
}

// numeric gives the value of a number that is kept as its text.
func numeric(v any) any {
	if n, ok := v.(json.Number); ok {
		return native.Number(string(n))
	}
	return v
}

func isNaN(v any) bool {
	f, ok := numeric(v).(float64)
	return ok && math.IsNaN(f)
}

// numbers does the operations on two numbers whose result is certain to be an
// int or a float64; ok is false for all others.
func numbers(op syntax.Operator, a, b any) (v any, ok bool) {
	switch x := numeric(a).(type) {
	case int:
		switch y := numeric(b).(type) {
		case int:
			return integers(op, x, y)
		case float64:
			return floats(op, float64(x), y)
		}
	case float64:
		switch y := numeric(b).(type) {
		case int:
			return floats(op, x, float64(y))
		case float64:
			return floats(op, x, y)
		}
	}
	return nil, false
}

func integers(op syntax.Operator, x, y int) (any, bool) {
	switch op {
	case syntax.OpAdd:
		v := x + y
		return v, (v >= x) == (y >= 0)
	case syntax.OpSub:
		v := x - y
		return v, (v <= x) == (y >= 0)
	case syntax.OpMul:
		const half = 1 << 31
		return x * y, -half < x && x < half && -half < y && y < half
	case syntax.OpDiv:
		if y == 0 || y == -1 {
			return nil, false
		}
		if x%y == 0 {
			return x / y, true
		}
		return float64(x) / float64(y), true
	case syntax.OpMod:
		if y == 0 || y == -1 {
			return nil, false
		}
		return x % y, true
	}
	return nil, false
}

func floats(op syntax.Operator, x, y float64) (any, bool) {
	switch op {
	case syntax.OpAdd:
		return x + y, true
	case syntax.OpSub:
		return x - y, true
	case syntax.OpMul:
		return x * y, true
	case syntax.OpDiv:
		return x / y, y != 0
	}
	return nil, false
}

// allocNumber accounts for the result of an operation on large integers.
func (m *mach) allocNumber(a, b any) error {
	x, _ := numeric(a).(*big.Int)
	y, _ := numeric(b).(*big.Int)
	if x == nil && y == nil {
		return nil
	}
	bits := 0
	for _, z := range []*big.Int{x, y} {
		if z != nil {
			bits += z.BitLen()
		}
	}
	return m.alloc(bits / 8)
}

func add(m *mach, a, b any) (any, error) {
	if mesh.IsAbsent(a) && mesh.IsAbsent(b) {
		return a, nil
	}
	if l, ok := a.(*list); ok {
		if y, err := m.look(b); err != nil {
			return nil, err
		} else if y, ok := y.([]any); ok {
			return m.appended(l, y)
		}
	}
	a, b, err := m.force2(a, b)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return numeric(b), nil
	}
	if b == nil {
		return numeric(a), nil
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return m.joined(x, y)
		}
	case []any:
		if y, ok := b.([]any); ok {
			if len(x) >= listMost {
				return m.appended(x, y)
			}
			return m.addArrays(x, y)
		}
	case *object.Object:
		if y, ok := b.(*object.Object); ok {
			return m.addObjects(x, y)
		}
	default:
		if v, ok := numbers(syntax.OpAdd, a, b); ok {
			return v, nil
		}
	}
	return m.rare(syntax.OpAdd, "$a + $b", a, b)
}
