package jsontext

import (
	"slices"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// events is the [builder] for Options.Stream. It yields each leaf (a value without parts)
// with its path as soon as the leaf is read.
type events struct {
	next    any   // the leaf that was read last
	at      []any // the current path: an index for an array; null for an object whose next key was not read yet
	seen    seen
	pending []any
}

// seen is the kind of the token that was read last.
type seen int

const (
	seenNothing seen = iota
	seenArray
	seenObject
	seenColon
	seenComma
	seenValue
)

func (b *events) value(v any) error {
	if b.has() || b.seen == seenValue {
		return wrong("Expected separator between values")
	}
	b.seen = seenNothing
	if len(b.at) > 0 {
		b.seen = seenValue
	}
	b.next = v
	return nil
}

func (b *events) has() bool { return b.next != any(nothing{}) }

func (b *events) take() (any, bool) {
	if len(b.at) == 0 && b.has() {
		b.emitLeaf()
	}
	if len(b.pending) == 0 {
		return nil, false
	}
	v := b.pending[0]
	b.pending = b.pending[1:]
	return v, true
}

func (b *events) emitLeaf() { b.leaf(b.next); b.next = nothing{} }

func (b *events) leaf(v any) { b.pending = append(b.pending, []any{slices.Clone(b.at), v}) }

// closing adds an event after the last part of an array or object was read.
func (b *events) closing() { b.pending = append(b.pending, []any{slices.Clone(b.at)}) }

func (b *events) last() any {
	if len(b.at) > 0 {
		return nothing{}
	}
	return b.next
}

func (b *events) open() bool  { return len(b.at) > 0 }
func (b *events) path() []any { return slices.Clone(append([]any{}, b.at...)) }
func (b *events) reset()      { *b = events{next: nothing{}} }

func (b *events) cutOff(bool, bool) bool {
	if len(b.at) > 0 || isNumber(b.next) {
		return true
	}
	_, boolean := b.next.(bool)
	return boolean || b.next == nil
}

func (b *events) structure(c byte) error {
	var top any = nothing{}
	if n := len(b.at); n > 0 {
		top = b.at[n-1]
	}
	_, array := top.(int)
	switch c {
	case '[', '{':
		return b.begin(c, array)
	case ':':
		if len(b.at) == 0 || array {
			return wrong("':' not as part of an object")
		}
		if !b.has() || b.seen == seenNothing {
			return wrong("Expected string key before ':'")
		}
		if _, ok := b.next.(string); !ok {
			return wrong("Object keys must be strings")
		}
		if b.seen != seenValue {
			return wrong("':' should follow a key")
		}
		b.seen = seenColon
		b.at[len(b.at)-1], b.next = b.next, nothing{}
		return nil
	case ',':
		return b.comma(top)
	}
	return b.end(c, top, array)
}

func (b *events) begin(c byte, array bool) error {
	separator := wrong("Expected a separator between values")
	switch {
	case c == '[' && b.has(), c == '{' && b.seen == seenValue:
		return separator
	case b.seen == seenObject:
		return wrong("Expected string key after '{', not '" + string(c) + "'")
	case b.seen == seenComma && !array:
		return wrong("Expected string key after ',' in object, not '" + string(c) + "'")
	case len(b.at) >= MaxDepth:
		return wrong("Exceeds depth limit for parsing")
	}
	if c == '[' {
		b.at, b.seen = append(b.at, 0), seenArray
	} else {
		b.at, b.seen = append(b.at, nil), seenObject
	}
	return nil
}

func (b *events) comma(top any) error {
	if b.seen != seenValue {
		return wrong("Expected value before ','")
	}
	if len(b.at) == 0 {
		return wrong("',' not as part of an object or array")
	}
	if top == nil {
		return wrong("Objects must consist of key:value pairs")
	}
	if b.has() {
		b.emitLeaf()
	}
	b.at[len(b.at)-1] = nil
	if i, ok := top.(int); ok {
		b.at[len(b.at)-1] = i + 1
	}
	b.seen = seenComma
	return nil
}

// end handles the closing bracket of an array or an object.
func (b *events) end(c byte, top any, array bool) error {
	what := "Unmatched '" + string(c) + "' "
	switch {
	case len(b.at) == 0:
		return wrong(what + "at the top-level")
	case b.seen == seenComma && c == ']':
		return wrong("Expected another array element")
	case b.seen == seenComma:
		return wrong("Expected another key:value pair")
	case c == ']' && !array:
		return wrong(what + "in the middle of an object")
	case c == '}' && array:
		return wrong(what + "in the middle of an array")
	case c == '}' && b.has() && top == nil:
		return wrong("Objects must consist of key:value pairs")
	case c == '}' && !b.has() && b.seen == seenColon:
		return wrong("Missing value in key:value pair")
	}
	empty := b.seen == seenArray || b.seen == seenObject
	if b.has() {
		b.emitLeaf()
	}
	if !empty {
		b.closing()
	}
	b.at = b.at[:len(b.at)-1]
	switch {
	case empty && c == ']':
		b.leaf([]any{})
	case empty:
		b.leaf(object.New(0))
	}
	b.seen = seenValue
	if len(b.at) == 0 {
		b.seen = seenNothing
	}
	return nil
}
