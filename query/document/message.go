package document

import "github.com/meshq/kubectl-meshq/sources/object"

// Message is one of Envoy's messages, in the form of protojson. Its fields are
// loaded; their values may be lazy. The zero Message has no fields.
type Message struct {
	*Reader
	Fields *object.Object
}

// Message returns the message that a value is; one without fields where the
// value is no object.
func (r *Reader) Message(v any) Message {
	m, _ := r.Force(v).(*object.Object)
	return Message{r, m}
}

// Value returns the value of a field, loaded; nil where it is not set.
func (m Message) Value(key string) any { return m.Force(m.Fields.Get(key)) }

// Has returns whether a field is set. Protojson leaves out fields that have
// their default, but never a field of a oneof.
func (m Message) Has(key string) bool { return m.Fields.Get(key) != nil }

// Sub returns the message in a field.
func (m Message) Sub(key string) Message { return m.Message(m.Fields.Get(key)) }

// Text returns the string in a field, empty where there is none.
func (m Message) Text(key string) string {
	s, _ := m.Value(key).(string)
	return s
}

// Flag returns whether a field is true.
func (m Message) Flag(key string) bool { return m.Value(key) == true }

// FlagOr returns a boolean field, and otherwise where the field is not set: for
// a BoolValue whose default is not false.
func (m Message) FlagOr(key string, otherwise bool) bool {
	if b, ok := m.Value(key).(bool); ok {
		return b
	}
	return otherwise
}

// Number returns the integer in a field, 0 where there is none.
func (m Message) Number(key string) int64 { return toInteger(m.Value(key)) }

// List returns the messages in a field.
func (m Message) List(key string) []Message {
	a, _ := m.Value(key).([]any)
	out := make([]Message, len(a))
	for i, v := range a {
		out[i] = m.Message(v)
	}
	return out
}

// Texts returns the strings in a field. Other elements are left out.
func (m Message) Texts(key string) []string {
	a, _ := m.Value(key).([]any)
	out := make([]string, 0, len(a))
	for _, v := range a {
		if s, ok := m.Force(v).(string); ok {
			out = append(out, s)
		}
	}
	return out
}
