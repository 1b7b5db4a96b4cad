package document

import "github.com/meshq/kubectl-meshq/sources/object"

// Message is an Envoy message in the form of protojson. Its fields are loaded, but their
// values may be lazy. The zero Message has no fields.
type Message struct {
	*Reader
	Fields *object.Object
}

// Message returns a value as a Message. If the value isn't an object, the Message has no
// fields.
func (r *Reader) Message(v any) Message {
	m, _ := r.Force(v).(*object.Object)
	return Message{r, m}
}

// Value returns the loaded value of a field, or nil if the field is not set.
func (m Message) Value(key string) any { return m.Force(m.Fields.Get(key)) }

// Has reports whether a field is set. In protojson, fields with their default value are
// omitted, unless they are in a oneof.
func (m Message) Has(key string) bool { return m.Fields.Get(key) != nil }

// Sub returns the message in a field. If the field is not set, the message has no fields.
func (m Message) Sub(key string) Message { return m.Message(m.Fields.Get(key)) }

// Text returns the string in a field, or an empty string if the field is not set.
func (m Message) Text(key string) string {
	s, _ := m.Value(key).(string)
	return s
}

// Flag reports whether a boolean field is true.
func (m Message) Flag(key string) bool { return m.Value(key) == true }

// FlagOr returns the value of a boolean field. If the field is not set, it returns its
// second argument, the field's default. It is meant for fields of type BoolValue whose
// default is true.
func (m Message) FlagOr(key string, otherwise bool) bool {
	if b, ok := m.Value(key).(bool); ok {
		return b
	}
	return otherwise
}

// Number returns the integer in a field, or 0 if the field is not set.
func (m Message) Number(key string) int64 { return toInteger(m.Value(key)) }

// List returns all messages in a repeated field.
func (m Message) List(key string) []Message {
	a, _ := m.Value(key).([]any)
	out := make([]Message, len(a))
	for i, v := range a {
		out[i] = m.Message(v)
	}
	return out
}

// Texts returns all strings in a repeated field. It omits elements that aren't strings.
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
