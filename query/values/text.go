package values

import (
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
)

// Marshal gives the JSON text of a value.
func (m *Task) Marshal(v any) (string, error) {
	if i, ok := v.(int); ok {
		return strconv.Itoa(i), nil
	}
	v, size, err := m.Extent(v)
	if err != nil {
		return "", err
	}
	if err := m.Alloc(3 * size); err != nil { // the buffer grows by doubling, and is copied
		return "", err
	}
	return Interruptible(m, size, func() string { return native.Marshal(v) })
}

// InterruptibleSize is the text from which on work on it is done aside.
const InterruptibleSize = 1 << 18

// Interruptible does work that can't be interrupted, on so many bytes. When the
// context ends first the work is left alone.
func Interruptible[T any](m *Task, size int, work func() T) (T, error) {
	if size < InterruptibleSize {
		return work(), nil
	}
	v, err := native.Aside(m.Ctx, func() (any, error) { return work(), nil })
	t, _ := v.(T)
	return t, err
}

// What is copied between two looks at the context. Memory that is touched for
// the first time comes slowly: a large copy may take seconds, and has to end
// with the run.
const (
	copyItems = 1 << 20
	copyBytes = 16 << 20
)

// grown gives an array of that capacity with the same elements.
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

// appendedText is the length in bytes from which on joined appends in place.
// Shorter texts are copied.
const appendedText = 1 << 10

// joined returns a + b. If a is the text that joined returned last, b is written
// behind it into the same buffer, so that a text that grows step by step is
// copied only when its length has doubled. The texts returned before don't
// change: they end before b.
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

// Push appends to an array that nobody else sees, within the budget.
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
