package object

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// FromMap returns an object with the members of a map, sorted by their keys.
func FromMap(m map[string]any) *Object {
	o := New(len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		o.add(k, m[k])
	}
	return o
}

// FromPlain returns a value in which every map[string]any is replaced by an [Object]
// with its keys sorted. A value without maps is returned unchanged.
func FromPlain(v any) any {
	switch x := v.(type) {
	case map[string]any:
		o := New(len(x))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			o.add(k, FromPlain(x[k]))
		}
		return o
	case []any:
		return each(x, FromPlain)
	}
	return v
}

// ToPlain returns a value in which every [Object] is replaced by a map[string]any,
// for libraries that don't know Object. A value without objects is returned
// unchanged.
func ToPlain(v any) any {
	switch x := v.(type) {
	case *Object:
		m := make(map[string]any, x.Len())
		for k, w := range x.All() {
			m[k] = ToPlain(w)
		}
		return m
	case []any:
		return each(x, ToPlain)
	}
	return v
}

// each applies f to the elements of an array that may contain objects, and returns
// an array of the results. If no element changes, it returns the same array.
func each(x []any, f func(any) any) []any {
	for i, v := range x {
		switch v.(type) {
		case *Object, map[string]any, []any:
		default:
			continue
		}
		out := slices.Clone(x)
		for ; i < len(x); i++ {
			out[i] = f(x[i])
		}
		return out
	}
	return x
}

// Equal reports whether two values have the same content. The order of keys doesn't
// matter. A map[string]any equals the object with the same members.
func Equal(a, b any) bool {
	if m, ok := a.(map[string]any); ok {
		a = FromMap(m)
	}
	if m, ok := b.(map[string]any); ok {
		b = FromMap(m)
	}
	switch x := a.(type) {
	case *Object:
		y, ok := b.(*Object)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for k, v := range x.All() {
			if w, there := y.Lookup(k); !there || !Equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, Equal)
	}
	return reflect.DeepEqual(a, b)
}

// Equal reports whether two objects have the same content. The order of keys doesn't
// matter.
func (o *Object) Equal(other *Object) bool { return Equal(o, other) }

// String returns the object in the form in which fmt prints a map, with the keys
// sorted.
func (o *Object) String() string { return fmt.Sprint(ToPlain(o)) }

// MarshalJSON returns the object as JSON, with its keys in order. It doesn't escape
// HTML; the outer encoder may do so.
func (o *Object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	out.WriteByte('{')
	for k, v := range o.All() {
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		if err := enc.Encode(k); err != nil {
			return nil, err
		}
		out.Truncate(out.Len() - 1)
		out.WriteByte(':')
		if err := enc.Encode(v); err != nil {
			return nil, err
		}
		out.Truncate(out.Len() - 1)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// UnmarshalJSON reads an object and everything inside it. The keys keep the order in
// which they appear in the text.
func (o *Object) UnmarshalJSON(text []byte) error {
	v, err := decode(json.NewDecoder(bytes.NewReader(text)))
	if x, ok := v.(*Object); ok {
		*o = *x
	}
	return err
}

// Unmarshal does the same as json.Unmarshal, except that decoding into *any or
// *[]any creates Objects instead of maps.
func Unmarshal(text []byte, into any) error {
	switch into.(type) {
	case *any, *[]any:
	default:
		return json.Unmarshal(text, into)
	}
	// json.RawMessage checks the whole text, not only its first value
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		return err
	}
	v, err := decode(json.NewDecoder(bytes.NewReader(text)))
	switch x := into.(type) {
	case *any:
		*x = v
	case *[]any:
		*x, _ = v.([]any)
	}
	return err
}

func decode(dec *json.Decoder) (any, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		o := New(0)
		for dec.More() {
			k, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := decode(dec)
			if err != nil {
				return nil, err
			}
			o.Set(k.(string), v)
		}
		_, err = dec.Token()
		return o, err
	case json.Delim('['):
		a := []any{}
		for dec.More() {
			v, err := decode(dec)
			if err != nil {
				return nil, err
			}
			a = append(a, v)
		}
		_, err = dec.Token()
		return a, err
	}
	return t, nil
}
