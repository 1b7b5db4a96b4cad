package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A member is a key and value of a JSON object. A list of members keeps their order.
type member struct {
	key   string
	value json.RawMessage
}

// members parses an object.
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
		m := member{key: key.(string)} // a decoder returns only strings as keys
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// object writes members as a JSON object.
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
		panic(err) // a string can always be encoded
	}
	return b
}

// value returns the value of a key, or nil if the object lacks it.
func value(all []member, key string) json.RawMessage {
	for _, m := range all {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// with returns a copy of the members with another value for one key.
func with(all []member, key string, v []byte) []member {
	out := append([]member(nil), all...)
	for i := range out {
		if out[i].key == key {
			out[i].value = v
		}
	}
	return out
}

// elements parses an array.
func elements(array []byte) (all []json.RawMessage, err error) {
	err = json.Unmarshal(array, &all)
	return all, err
}

// array writes elements as a JSON array.
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

// indented writes JSON with Envoy's indentation, for a value at the given depth.
func indented(raw []byte, depth int) ([]byte, error) {
	const spaces = "          "
	var b bytes.Buffer
	err := json.Indent(&b, raw, spaces[:depth], " ")
	return b.Bytes(), err
}
