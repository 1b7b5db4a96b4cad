package routing

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// reader looks into messages and keeps the first error: the rules below read
// like the rules, and whoever began asks for the error at the end.
type reader struct {
	ctx context.Context
	err error
}

// message is one of Envoy's messages as an object of the document. The zero
// message has no fields and acts as an empty one.
type message struct {
	*reader
	fields *object.Object
}

// force gives a value of the document. A nil reader, as the zero message has,
// has nothing to read.
func (r *reader) force(v any) any {
	if r == nil || r.err != nil {
		return nil
	}
	v, err := mesh.Force(r.ctx, v)
	if err != nil {
		r.err = err
		return nil
	}
	return v
}

func (r *reader) message(v any) message {
	m, _ := r.force(v).(*object.Object)
	return message{r, m}
}

func (m message) value(key string) any { return m.force(m.fields.Get(key)) }

// has tells whether a field is set. Protojson leaves out what has its default,
// but never a field of a oneof.
func (m message) has(key string) bool { return m.fields.Get(key) != nil }

func (m message) sub(key string) message { return m.message(m.fields.Get(key)) }

func (m message) text(key string) string {
	s, _ := m.value(key).(string)
	return s
}

func (m message) flag(key string) bool { return m.value(key) == true }

// flagOr is a flag whose default is not false, as a BoolValue's.
func (m message) flagOr(key string, otherwise bool) bool {
	if b, ok := m.value(key).(bool); ok {
		return b
	}
	return otherwise
}

// number gives an integer; protojson writes those of 64 bits as strings.
func (m message) number(key string) int64 {
	switch n := m.value(key).(type) {
	case int:
		return int64(n)
	case float64:
		return int64(n)
	case json.Number:
		i, _ := n.Int64()
		return i
	case string:
		i, _ := strconv.ParseInt(n, 10, 64)
		return i
	}
	return 0
}

func (m message) list(key string) []message {
	a, _ := m.value(key).([]any)
	out := make([]message, len(a))
	for i, v := range a {
		out[i] = m.message(v)
	}
	return out
}

func (m message) texts(key string) []string {
	a, _ := m.value(key).([]any)
	out := make([]string, 0, len(a))
	for _, v := range a {
		if s, ok := m.force(v).(string); ok {
			out = append(out, s)
		}
	}
	return out
}
