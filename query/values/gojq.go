package values

// What an element of an array and a short string in one take, in bytes.
const (
	ItemSize   = 16
	StringSize = 32
)

// Gojq has gojq evaluate an expression of $a to $d, whose input is $a, on
// the values, which are loaded first. It does what is rare.
func (m *Task) Gojq(expr string, vs ...any) (any, error) {
	vs, err := m.DeepAll(vs)
	if err != nil {
		return nil, err
	}
	return m.GojqPlain(expr, vs...)
}

// DeepAll is Deep for each of the values.
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

// callGojq is fallback for values that hold nothing lazy.
func (m *Task) GojqPlain(expr string, vs ...any) (any, error) {
	return m.shared.funcs.Call(m.Ctx, expr, vs...)
}
