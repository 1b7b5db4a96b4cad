package values

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// An Operation computes a binary operator of jq, such as +. It loads only the parts of
// its operands that it needs.
type Operation = func(m *Task, a, b any) (any, error)

// Operator returns the Operation for an arithmetic operator or a comparison.
func Operator(op syntax.Operator) Operation {
	switch op {
	case syntax.OpAdd:
		return Add
	case syntax.OpSub:
		of := arithmetic(op, subtract)
		minus := AbsentAsList(func(m *Task, a any, b []any) (any, error) { return of(m, a, b[0]) })
		return func(m *Task, a, b any) (any, error) { return minus(m, a, []any{b}) }
	case syntax.OpMul:
		return arithmetic(op, multiply)
	case syntax.OpDiv:
		return arithmetic(op, divide)
	case syntax.OpMod:
		return arithmetic(op, nil)
	case syntax.OpEq:
		return func(m *Task, a, b any) (any, error) { return asAny(equal(m, a, b)) }
	case syntax.OpNe:
		return func(m *Task, a, b any) (any, error) {
			eq, err := equal(m, a, b)
			return !eq, err
		}
	}
	return comparison(op)
}

func asAny(b bool, err error) (any, error) { return b, err }

func comparison(op syntax.Operator) Operation {
	holds := map[syntax.Operator]func(int) bool{
		syntax.OpLt: func(c int) bool { return c < 0 },
		syntax.OpLe: func(c int) bool { return c <= 0 },
		syntax.OpGt: func(c int) bool { return c > 0 },
		syntax.OpGe: func(c int) bool { return c >= 0 },
	}[op]
	return func(m *Task, a, b any) (any, error) {
		c, err := Compare(m, a, b)
		return holds(c), err
	}
}

// arithmetic returns an Operation that computes numbers itself, and passes arrays,
// objects and strings to rest. The gojq library computes everything else, and returns all
// errors.
func arithmetic(op syntax.Operator, rest func(m *Task, a, b any) (v any, ok bool, err error)) Operation {
	expr := "$a " + op.String() + " $b"
	return func(m *Task, a, b any) (any, error) {
		a, b, err := m.ForceBoth(a, b)
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
		return rareOperation(m, op, expr, a, b)
	}
}

// rareOperation lets the gojq library compute an operation on numbers, or return the
// error for an operation on strings. For any other pair of operands it returns an error
// without loading them.
func rareOperation(m *Task, op syntax.Operator, expr string, a, b any) (any, error) {
	if IsScalar(a) && IsScalar(b) {
		if err := allocNumber(m, a, b); err != nil {
			return nil, err
		}
		v, err := m.Gojq(expr, a, b)
		if IsGojqError(err) {
			err = Inapplicable(op, a, b)
		}
		return v, err
	}
	return nil, Inapplicable(op, a, b)
}

// IsScalar reports whether a value is neither an array nor an object. The value must
// already be loaded, that is, returned by [Task.Force].
func IsScalar(v any) bool {
	switch v.(type) {
	case []any, *object.Object:
		return false
	}
	return true
}

// ForceBoth loads two values and returns them.
func (m *Task) ForceBoth(a, b any) (any, any, error) {
	a, err := m.Force(a)
	if err != nil {
		return nil, nil, err
	}
	b, err = m.Force(b)
	return a, b, err
}

// numeric converts a number that is stored as its JSON text to an int, a float64 or a
// *big.Int. It returns any other value unchanged.
func numeric(v any) any {
	if n, ok := v.(json.Number); ok {
		return native.Number(string(n))
	}
	return v
}

// IsNaN reports whether v is the number NaN.
func IsNaN(v any) bool {
	f, ok := numeric(v).(float64)
	return ok && math.IsNaN(f)
}

// numbers applies an operator to two numbers. ok is false unless the result is certain to
// be an int or a float64.
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

// allocNumber counts the memory that the result of an operation on large integers needs.
func allocNumber(m *Task, a, b any) error {
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
	return m.Alloc(bits / 8)
}

// Add computes the sum a + b as jq does, for any types of values.
func Add(m *Task, a, b any) (any, error) {
	if mesh.IsAbsent(a) && mesh.IsAbsent(b) {
		return a, nil
	}
	if l, ok := a.(*list); ok {
		if y, err := m.Borrow(b); err != nil {
			return nil, err
		} else if y, ok := y.([]any); ok {
			return appended(m, l, y)
		}
	}
	a, b, err := m.ForceBoth(a, b)
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
				return appended(m, x, y)
			}
			return addArrays(m, x, y)
		}
	case *object.Object:
		if y, ok := b.(*object.Object); ok {
			return addObjects(m, x, y)
		}
	default:
		if v, ok := numbers(syntax.OpAdd, a, b); ok {
			return v, nil
		}
	}
	return rareOperation(m, syntax.OpAdd, "$a + $b", a, b)
}

func addArrays(m *Task, x, y []any) (any, error) {
	if len(x) == 0 {
		return y, nil
	}
	if len(y) == 0 {
		return x, nil
	}
	if err := m.Alloc(ItemSize * (len(x) + len(y))); err != nil {
		return nil, err
	}
	return append(append(make([]any, 0, len(x)+len(y)), x...), y...), nil
}

// appended returns an array with the elements of a, followed by the elements of y. It
// changes a in place if no other goroutine can access a.
func appended(m *Task, a any, y []any) (any, error) {
	if len(y) == 0 {
		return a, nil
	}
	return WithElements(m, a, y)
}

func addObjects(m *Task, x, y *object.Object) (any, error) {
	if x.Len() == 0 {
		return y, nil
	}
	if y.Len() == 0 {
		return x, nil
	}
	if y.Len() > x.Len() {
		if err := m.Alloc(EntrySize * (x.Len() + y.Len())); err != nil {
			return nil, err
		}
		z := object.New(x.Len() + y.Len())
		z.SetAll(x)
		z.SetAll(y)
		return z, nil
	}
	for k, v := range y.All() {
		z, copied := x.With(m.mine(), k, v)
		if err := m.Alloc(EntrySize * (copied + 1)); err != nil {
			return nil, err
		}
		x = z
	}
	return x, nil
}

// subtract returns the elements of the array a that the array b doesn't contain.
func subtract(m *Task, a, b any) (any, bool, error) {
	x, ok1 := a.([]any)
	y, ok2 := b.([]any)
	if !ok1 || !ok2 {
		return nil, false, nil
	}
	out := make([]any, 0, len(x))
	for _, v := range x {
		found, err := isIn(m, y, v)
		if err != nil {
			return nil, false, err
		}
		if !found {
			out = append(out, v)
		}
	}
	return out, true, m.Alloc(ItemSize * len(x))
}

// isIn reports whether the array xs contains an element that equals v.
func isIn(m *Task, xs []any, v any) (bool, error) {
	for _, x := range xs {
		if err := m.Tick(); err != nil {
			return false, err
		}
		if eq, err := equal(m, v, x); eq || err != nil {
			return eq, err
		}
	}
	return false, nil
}

// multiply computes a * b for two objects, which are merged, and for a string and a
// number, which repeats the string.
func multiply(m *Task, a, b any) (any, bool, error) {
	if x, ok := a.(*object.Object); ok {
		if y, ok := b.(*object.Object); ok {
			v, err := merge(m, x, y)
			return v, true, err
		}
		return nil, false, nil
	}
	s, ok1 := a.(string)
	n, ok2 := native.ToFloat(b)
	if !ok1 {
		s, ok1 = b.(string)
		n, ok2 = native.ToFloat(a)
	}
	if !ok1 || !ok2 {
		return nil, false, nil
	}
	if n < 0 || math.IsNaN(n) {
		return nil, true, nil
	}
	count := int(min(n, math.MaxInt32))
	if len(s)*count >= math.MaxInt32 {
		return nil, false, nil // the gojq library returns the error
	}
	if err := m.Alloc(len(s) * count); err != nil {
		return nil, false, err
	}
	return strings.Repeat(s, count), true, nil
}

// merge returns the object x with the members of y added. If both objects have an object
// under the same key, it merges these two as well.
func merge(m *Task, x, y *object.Object) (any, error) {
	if err := m.Nest("Object merge"); err != nil {
		return nil, err
	}
	defer func() { m.nesting-- }()
	if err := m.Alloc(EntrySize * (x.Len() + y.Len())); err != nil {
		return nil, err
	}
	z := object.New(x.Len() + y.Len())
	z.SetAll(x)
	for k, v := range y.All() {
		if old, ok := x.Lookup(k); ok {
			inner, err := mergeMember(m, old, v)
			if err != nil {
				return nil, err
			}
			v = inner
		}
		z.Set(k, v)
	}
	return z, nil
}

func mergeMember(m *Task, old, v any) (any, error) {
	o, err := m.Force(old)
	if err != nil {
		return nil, err
	}
	x, ok := o.(*object.Object)
	if !ok {
		return v, nil
	}
	n, err := m.Force(v)
	if err != nil {
		return nil, err
	}
	y, ok := n.(*object.Object)
	if !ok {
		return v, nil
	}
	return merge(m, x, y)
}

// divide computes a / b for two strings: it splits a at each separator b.
func divide(m *Task, a, b any) (any, bool, error) {
	x, ok1 := a.(string)
	y, ok2 := b.(string)
	if !ok1 || !ok2 {
		return nil, false, nil
	}
	v, err := Split(m, x, y)
	return v, true, err
}

// Split returns the parts of s between the separators. It returns an empty array for an
// empty string.
func Split(m *Task, s, sep string) (any, error) {
	if s == "" {
		return []any{}, nil
	}
	n := strings.Count(s, sep) + 1
	if err := m.Alloc(StringSize * n); err != nil {
		return nil, err
	}
	if sep == "" { // an empty separator splits the string into characters
		n -= 2
	}
	out := make([]any, 0, n)
	for len(out) < n-1 {
		if err := m.Tick(); err != nil {
			return nil, err
		}
		i := strings.Index(s, sep)
		if sep == "" {
			_, i = utf8.DecodeRuneInString(s)
		}
		out = append(out, s[:i])
		s = s[i+len(sep):]
	}
	return append(out, s), nil
}

// A Sum adds up values for the builtin add. It doesn't allocate each intermediate sum.
type Sum struct {
	m       *Task
	total   any
	own     bool             // whether only this Sum refers to total, so that it may be changed in place
	text    *strings.Builder // the total, if it is a string
	partial error            // the first error of an addition; Result returns it
}

// NewSum returns a Sum without values. Its result is null.
func NewSum(m *Task) *Sum { return &Sum{m: m} }

// Push adds v to the sum. If two values can't be added, Push stores the error for Result
// and ignores all later values. The caller still evaluates the later values, because jq
// too collects all values before it adds them.
func (s *Sum) Push(v any) error {
	if s.partial != nil {
		return nil
	}
	v, err := s.m.Force(v)
	if err != nil {
		return err
	}
	if v == nil {
		return nil
	}
	if done, err := s.extend(v); done || err != nil {
		return err
	}
	s.settle()
	total, err := Add(s.m, s.total, v)
	if IsUncatchable(err) {
		return err
	}
	s.total, s.own, s.partial = total, false, err
	return nil
}

// extend appends v to the total in place if both are strings, arrays or objects. done is
// false otherwise.
func (s *Sum) extend(v any) (done bool, err error) {
	switch x := v.(type) {
	case string:
		if s.text == nil {
			t, ok := s.total.(string)
			if !ok && s.total != nil {
				return false, nil
			}
			s.text = &strings.Builder{}
			s.text.WriteString(t)
		}
		return true, s.m.WriteText(s.text, x)
	case []any:
		t, ok := s.total.([]any)
		if s.text != nil || !ok && s.total != nil {
			return false, nil
		}
		if !s.own {
			t, s.own = slices.Clone(t), true
		}
		if t == nil {
			t = []any{}
		}
		if len(t)+len(x) > cap(t) {
			err = s.m.Alloc(ItemSize * 2 * (len(t) + len(x)))
		}
		if err == nil {
			s.total = append(t, x...)
		}
		return true, err
	case *object.Object:
		t, ok := s.total.(*object.Object)
		if s.text != nil || !ok && s.total != nil {
			return false, nil
		}
		if !s.own {
			t, s.own = t.Clone(), true
		}
		if t == nil {
			t = object.New(0)
		}
		t.SetAll(x)
		s.total = t
		return true, s.m.Alloc(EntrySize * x.Len())
	}
	return false, nil
}

// WriteText appends s to the builder b and counts the memory that b needs.
func (m *Task) WriteText(b *strings.Builder, s string) error {
	if b.Len()+len(s) > b.Cap() {
		if err := m.Alloc(2 * (b.Len() + len(s))); err != nil {
			return err
		}
	}
	b.WriteString(s)
	return nil
}

func (s *Sum) settle() {
	if s.text != nil {
		s.total, s.text = s.text.String(), nil
	}
}

// Result returns the sum, or the error of the first addition that failed.
func (s *Sum) Result() (any, error) {
	s.settle()
	return s.total, s.partial
}

// SumOf returns the sum of the elements of an array.
func SumOf(m *Task, xs []any) (any, error) {
	s := NewSum(m)
	for _, x := range xs {
		if err := m.Tick(); err != nil {
			return nil, err
		}
		if err := s.Push(x); err != nil {
			return nil, err
		}
	}
	return s.Result()
}
