package values

// The approximate sizes in memory, in bytes, of an array element and of a short string.
const (
	ItemSize   = 16
	StringSize = 32
)

// Gojq loads the values vs completely and evaluates the expression expr with the gojq
// library. In the expression, $a to $d refer to the values, and the first value is also
// the input. Gojq is slow and meant for rare cases only.
func (m *Task) Gojq(expr string, vs ...any) (any, error) {
	vs, err := m.DeepAll(vs)
	if err != nil {
		return nil, err
	}
	return m.GojqPlain(expr, vs...)
}

// DeepAll loads each value completely, as Deep does, and returns the loaded values.
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

// GojqPlain does the same as Gojq, for values that are already loaded completely.
func (m *Task) GojqPlain(expr string, vs ...any) (any, error) {
	return m.shared.funcs.Call(m.Ctx, expr, vs...)
}
