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

// joined is a + b.
func (m *mach) joined(a, b string) (string, error) {
	if err := m.alloc(len(a) + len(b)); err != nil {
		return "", err
	}
	if len(a)+len(b) <= copyBytes {
		return a + b, nil
	}
	var out strings.Builder
	out.Grow(len(a) + len(b))
	for _, s := range []string{a, b} {
		for len(s) > 0 {
			n := min(len(s), copyBytes)
			out.WriteString(s[:n])
			s = s[n:]
			if err := m.ctx.Err(); err != nil {
				return "", err
			}
		}
	}
	return out.String(), nil
}
