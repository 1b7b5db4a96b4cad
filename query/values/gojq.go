package values

// The approximate sizes in memory, in bytes, of an element of an array and of a
// short string.
const (
	ItemSize   = 16
	StringSize = 32
)

// Gojq loads the values and evaluates expr with gojq. In expr the values are $a to
// $d, and $a is also the input. Gojq is slow and meant for rare cases only.
func (m *Task) Gojq(expr string, vs ...any) (any, error) {
	vs, err := m.DeepAll(vs)
	if err != nil {
		return nil, err
	}
	return m.GojqPlain(expr, vs...)
}

// DeepAll calls Deep for each value and returns the loaded values.
func (m *Task) DeepAll(vs []any) ([]any, error) {
	out := make([]any, len(vs))
	for i, v := range vs {
		w, err := m.Deep(v)
		if err != nil {
			return nil, err
		}
		out[i] = w
	}
	return out, nil
}

// GojqPlain does the same as Gojq for values without lazy parts.
func (m *Task) GojqPlain(expr string, vs ...any) (any, error) {
	return m.shared.funcs.Call(m.Ctx, expr, vs...)
}
