package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A member is one of an object whose members keep their order.
type member struct {
	key   string
	value json.RawMessage
}

// members reads an object.
func members(object []byte) (all []member, err error) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%.20q is no object", object)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: key.(string)} // the decoder takes nothing else for a key
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// object writes members as an object.
func object(all []member) []byte {
	b := []byte{'{'}
	for i, m := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, quote(m.key)...), ':'), m.value...)
	}
	return append(b, '}')
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be written
	}
	return b
}

// value gives a member; nil when there is none of the name.
func value(all []member, key string) json.RawMessage {
	for _, m := range all {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// with gives the members with another value for one of them.
func with(all []member, key string, v []byte) []member {
	out := append([]member(nil), all...)
	for i := range out {
		if out[i].key == key {
			out[i].value = v
		}
	}
	return out
}

// elements reads an array.
func elements(array []byte) (all []json.RawMessage, err error) {
	err = json.Unmarshal(array, &all)
	return all, err
}

// array writes elements as an array.
func array[T ~[]byte](all []T) []byte {
	b := []byte{'['}
	for i, e := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, e...)
	}
	return append(b, ']')
}

// indented writes JSON as Envoy does, so many levels deep.
func indented(raw []byte, depth int) ([]byte, error) {
	const spaces = "          "
	var b bytes.Buffer
	err := json.Indent(&b, raw, spaces[:depth], " ")
	return b.Bytes(), err
}
