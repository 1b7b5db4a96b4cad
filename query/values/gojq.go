package values

// The approximate memory in bytes of an element of an array and of a short
// string.
const (
	ItemSize   = 16
	StringSize = 32
)

// Gojq loads the values and lets gojq evaluate expr, in which they are $a to $d;
// $a is also the input. It is slow, and used only for rare cases.
func (m *Task) Gojq(expr string, vs ...any) (any, error) {
	vs, err := m.DeepAll(vs)
	if err != nil {
		return nil, err
	}
	return m.GojqPlain(expr, vs...)
}

// DeepAll calls Deep for each of the values.
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

// GojqPlain is Gojq for values without lazy parts.
func (m *Task) GojqPlain(expr string, vs ...any) (any, error) {
	return m.shared.funcs.Call(m.Ctx, expr, vs...)
}
