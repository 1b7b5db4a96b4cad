package eval

import "strings"

// What is copied between two looks at the context. Memory that is touched for
// the first time comes slowly: a large copy may take seconds, and has to end
// with the run.
const (
	copyItems = 1 << 20
	copyBytes = 16 << 20
)

// grown gives an array of that capacity with the same elements.
func (m *mach) grown(xs []any, capacity int) ([]any, error) {
	if err := m.alloc(itemSize * capacity); err != nil {
		return nil, err
	}
	out := make([]any, 0, capacity)
	for len(xs) > copyItems {
		out, xs = append(out, xs[:copyItems]...), xs[copyItems:]
		if err := m.ctx.Err(); err != nil {
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
func (m *mach) joined(a, b string) (string, error) {
	if len(a) < appendedText {
		if err := m.alloc(len(a) + len(b)); err != nil {
			return "", err
		}
		return a + b, nil
	}
	parts := []string{b}
	if n := m.text.Len(); n != len(a) || m.text.Cap()-n < len(b) || m.text.String() != a {
		grown := 2 * (len(a) + len(b))
		if err := m.alloc(grown); err != nil {
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
			if err := m.ctx.Err(); err != nil {
				return "", err
			}
		}
		m.text.WriteString(s)
	}
	return m.text.String(), nil
}
