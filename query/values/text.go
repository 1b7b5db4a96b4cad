package values

import (
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
)

// Marshal returns the JSON text of a value.
func (m *Task) Marshal(v any) (string, error) {
	if i, ok := v.(int); ok {
		return strconv.Itoa(i), nil
	}
	v, size, err := m.Extent(v)
	if err != nil {
		return "", err
	}
	if err := m.Alloc(3 * size); err != nil { // the text's buffer doubles when it grows, and is copied at the end
		return "", err
	}
	return Interruptible(m, size, func() string { return native.Marshal(v) })
}

// InterruptibleSize is the number of bytes above which Interruptible runs its function in
// another goroutine.
const InterruptibleSize = 1 << 18

// Interruptible runs the function work, which processes size bytes and can't be
// interrupted. If the context ends first, Interruptible returns at once and ignores the
// result.
func Interruptible[T any](m *Task, size int, work func() T) (T, error) {
	if size < InterruptibleSize {
		return work(), nil
	}
	v, err := native.Aside(m.Ctx, func() (any, error) { return work(), nil })
	t, _ := v.(T)
	return t, err
}

// The numbers of array elements and bytes that are copied between two checks of the
// context. The first access to new memory is slow, so a large copy may take seconds. It
// must stop when the run stops.
const (
	copyItems = 1 << 20
	copyBytes = 16 << 20
)

// grown returns a copy of an array with the given capacity.
func (m *Task) grown(xs []any, capacity int) ([]any, error) {
	if err := m.Alloc(ItemSize * capacity); err != nil {
		return nil, err
	}
	out := make([]any, 0, capacity)
	for len(xs) > copyItems {
		out, xs = append(out, xs[:copyItems]...), xs[copyItems:]
		if err := m.Ctx.Err(); err != nil {
			return nil, err
		}
	}
	return append(out, xs...), nil
}

// appendedText is the minimum length in bytes of a string that the method joined extends
// in place. A shorter string is copied.
const appendedText = 1 << 10

// joined returns a + b. If a is the string that joined returned last, b is appended to
// the same buffer. So a string that grows step by step is copied only when its length has
// doubled. Strings that joined has returned before don't change, because they end before
// b.
func (m *Task) joined(a, b string) (string, error) {
	if len(a) < appendedText {
		if err := m.Alloc(len(a) + len(b)); err != nil {
			return "", err
		}
		return a + b, nil
	}
	parts := []string{b}
	if n := m.text.Len(); n != len(a) || m.text.Cap()-n < len(b) || m.text.String() != a {
		grown := 2 * (len(a) + len(b))
		if err := m.Alloc(grown); err != nil {
			return "", err
		}
		m.text = strings.Builder{}
		m.text.Grow(grown)
		parts = []string{a, b}
	}
	for _, s := range parts {
		for len(s) > copyBytes {
			m.text.WriteString(s[:copyBytes])
			s = s[copyBytes:]
			if err := m.Ctx.Err(); err != nil {
				return "", err
			}
		}
		m.text.WriteString(s)
	}
	return m.text.String(), nil
}

// Push appends v to an array that no other code can access, and counts the memory.
func (m *Task) Push(xs []any, v any) ([]any, error) {
	if len(xs) == cap(xs) {
		grown, err := m.grown(xs, max(4, len(xs)+len(xs)/2))
		if err != nil {
			return xs, err
		}
		xs = grown
	}
	return append(xs, v), nil
}
