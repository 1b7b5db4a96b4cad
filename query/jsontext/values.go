package jsontext

import "github.com/meshq/kubectl-meshq/sources/object"

// values is the [builder] that yields whole values.
type values struct {
	next  any // the value that was read last; the next token decides whether it is a key, a member or an element
	stack []container
}

// A container is an array or an object that is being read.
type container struct {
	array  []any
	object *object.Object // the object; nil for an array
	key    string         // key of the member that is being read
	keyed  bool           // whether the colon after the key was read
}

func (b *values) value(v any) error {
	if b.next != any(nothing{}) {
		return wrong("Expected separator between values")
	}
	b.next = v
	return nil
}

func (b *values) take() (any, bool) {
	if len(b.stack) > 0 || b.next == any(nothing{}) {
		return nil, false
	}
	v := b.next
	b.next = nothing{}
	return v, true
}

func (b *values) last() any {
	if len(b.stack) > 0 {
		return nothing{}
	}
	return b.next
}

func (b *values) open() bool  { return len(b.stack) > 0 }
func (b *values) path() []any { return []any{} }
func (b *values) reset()      { b.next, b.stack = nothing{}, b.stack[:0] }

func (b *values) cutOff(space, token bool) bool {
	return !space && (len(b.stack) > 0 || token || isNumber(b.next))
}

func (b *values) structure(c byte) error {
	has := b.next != any(nothing{})
	var top *container
	if n := len(b.stack); n > 0 {
		top = &b.stack[n-1]
	}
	switch c {
	case '[', '{':
		if len(b.stack) >= MaxDepth {
			return wrong("Exceeds depth limit for parsing")
		}
		if has {
			return wrong("Expected separator between values")
		}
		inner := container{array: []any{}}
		if c == '{' {
			inner = container{object: object.New(0)}
		}
		b.stack = append(b.stack, inner)
		return nil
	case ':':
		return b.colon(top, has)
	case ',':
		return b.comma(top, has)
	case ']':
		if top == nil || top.object != nil {
			return wrong("Unmatched ']'")
		}
		if !has && len(top.array) > 0 {
			return wrong("Expected another array element")
		}
		if has {
			top.array = append(top.array, b.next)
		}
		b.close(top.array)
		return nil
	}
	return b.brace(top, has)
}

func (b *values) colon(top *container, has bool) error {
	if !has {
		return wrong("Expected string key before ':'")
	}
	if top == nil || top.object == nil || top.keyed {
		return wrong("':' not as part of an object")
	}
	key, ok := b.next.(string)
	if !ok {
		return wrong("Object keys must be strings")
	}
	top.key, top.keyed, b.next = key, true, nothing{}
	return nil
}

func (b *values) comma(top *container, has bool) error {
	switch {
	case !has:
		return wrong("Expected value before ','")
	case top == nil:
		return wrong("',' not as part of an object or array")
	case top.object == nil:
		top.array = append(top.array, b.next)
	case top.keyed:
		top.object.Set(top.key, b.next)
		top.keyed = false
	default:
		return wrong("Objects must consist of key:value pairs")
	}
	b.next = nothing{}
	return nil
}

func (b *values) brace(top *container, has bool) error {
	switch {
	case top == nil:
		return wrong("Unmatched '}'")
	case has && !top.keyed:
		return wrong("Objects must consist of key:value pairs")
	case has:
		top.object.Set(top.key, b.next)
	case top.object == nil || top.keyed:
		return wrong("Unmatched '}'")
	case top.object.Len() > 0:
		return wrong("Expected another key-value pair")
	}
	b.close(top.object)
	return nil
}

// close ends the innermost container, whose value is v. v may be a member or an element
// of the enclosing container, so it becomes the value that was read last.
func (b *values) close(v any) {
	b.stack = b.stack[:len(b.stack)-1]
	b.next = v
}
