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

// appendedText is how long a text has to be for what is appended to it to be
// written behind it. A shorter one is copied.
const appendedText = 1 << 10

// joined is a + b. A text that is appended to again and again is copied only
// when it has doubled: b is written behind a where a is the last text that was
// made here. Texts that were made before see nothing of it, as they end earlier.
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
