package encode

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// MaxDepth is the maximum depth of nested arrays and objects. The JSON decoder
// has the same limit.
const MaxDepth = 10000

// A Style describes the layout of JSON.
type Style struct {
	Indent string   // the indentation for each level; used if Pretty is set
	Pretty bool     // adds newlines, and a space after each colon
	Escape *Escapes // the characters that are escaped in strings
	Colors *Palette // the colours; nil for no colours
	Sorted bool     // sorts the keys; otherwise they keep the object's order
}

// An Encoding encodes one value as JSON, step by step. Its position in the
// value is on an explicit stack. So it can stop when enough is encoded and
// continue later, and a deeply nested value needs no deep recursion. A lazy
// part is loaded when it is encoded. An unavailable part becomes null.
type Encoding struct {
	Style
	buf     []byte // text that is encoded but not written yet
	stack   []frame
	keys    []string // the keys of all objects on the stack, those of the innermost one last
	root    any
	started bool
	err     error // the error that ended the encoding
}

// A frame is an array or object that is partly encoded.
type frame struct {
	object bool
	keys   []string       // the keys, if it is an object
	fields *object.Object // the object, if it is one
	items  []any          // the elements, if it is an array
	next   int            // the index of the next member to encode
	ahead  int            // the index of the first member that was not prefetched
}

func (f *frame) len() int {
	if f.object {
		return len(f.keys)
	}
	return len(f.items)
}

// Encode returns an encoding of v, of which nothing is encoded yet.
func (s Style) Encode(v any) *Encoding { return &Encoding{Style: s, root: v} }

// Text returns a whole value as JSON.
func (s Style) Text(ctx context.Context, v any) ([]byte, error) {
	e := s.Encode(v)
	for !e.Done() {
		if err := e.More(ctx, len(e.buf)+1<<16); err != nil {
			return nil, err
		}
	}
	return e.buf, nil
}

// Done reports whether the value is completely encoded.
func (e *Encoding) Done() bool { return e.started && len(e.stack) == 0 }

// Append appends a text to the buffer of encoded text.
func (e *Encoding) Append(text string) { e.buf = append(e.buf, text...) }

// More encodes until the buffer contains limit bytes or the value ends. After
// an error, every further call returns the same error.
func (e *Encoding) More(ctx context.Context, limit int) error {
	if e.err == nil {
		e.err = ctx.Err()
	}
	for e.err == nil && len(e.buf) < limit && !e.Done() {
		e.err = e.step(ctx)
	}
	return e.err
}

// WriteTo writes the buffer, then encodes and writes the rest of the value.
func (e *Encoding) WriteTo(ctx context.Context, w io.Writer) error {
	for {
		if _, err := w.Write(e.buf); err != nil {
			return err
		}
		e.buf = e.buf[:0]
		if e.Done() {
			return nil
		}
		if err := e.More(ctx, 1<<16); err != nil {
			return err
		}
	}
}

// step encodes the next member of the innermost array or object, or its end.
func (e *Encoding) step(ctx context.Context) error {
	if !e.started {
		e.started = true
		return e.value(ctx, e.root)
	}
	f := &e.stack[len(e.stack)-1]
	if f.next == f.len() {
		e.end(f)
		return nil
	}
	f.prefetch(ctx)
	e.separate(f)
	f.next++
	if !f.object {
		return e.value(ctx, f.items[f.next-1])
	}
	key := f.keys[f.next-1]
	e.key(key)
	return e.value(ctx, f.fields.Get(key))
}

func (e *Encoding) value(ctx context.Context, v any) error {
	v, err := LoadWholePart(ctx, v)
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		e.scalar(nullColor, "null")
	case bool:
		if v {
			e.scalar(trueColor, "true")
		} else {
			e.scalar(falseColor, "false")
		}
	case int, float64, *big.Int, json.Number:
		e.number(v)
	case string:
		e.paint(stringColor)
		e.buf = e.Escape.Quote(e.buf, v)
		e.reset()
	case []any:
		return e.open(ctx, frame{items: v})
	case *object.Object:
		return e.open(ctx, frame{object: true, fields: v, keys: e.keysOf(v)})
	default:
		return fmt.Errorf("no JSON for a value of type %T", v)
	}
	return nil
}

// keysOf appends the keys of an object to e.keys, which is a stack, and returns
// them.
func (e *Encoding) keysOf(m *object.Object) []string {
	from := len(e.keys)
	for key := range m.All() {
		e.keys = append(e.keys, key)
	}
	keys := e.keys[from:]
	if e.Style.Sorted {
		slices.Sort(keys)
	}
	return keys
}

func (e *Encoding) open(ctx context.Context, f frame) error {
	if f.len() == 0 {
		e.paint(f.color())
		e.buf = append(e.buf, f.opening(), f.closing())
		e.reset()
		return nil
	}
	if len(e.stack) == MaxDepth {
		return fmt.Errorf("a result is nested more than %d deep", MaxDepth)
	}
	e.stack = append(e.stack, f)
	e.paint(f.color())
	e.buf = append(e.buf, f.opening())
	return nil
}

func (e *Encoding) end(f *frame) {
	color, closing := f.color(), f.closing()
	e.keys = e.keys[:len(e.keys)-len(f.keys)]
	e.stack = e.stack[:len(e.stack)-1]
	e.newline()
	e.paint(color)
	e.buf = append(e.buf, closing)
	e.reset()
}

// separate writes the comma, newline and indentation before a member. It
// switches colours at the same positions as jq does.
func (e *Encoding) separate(f *frame) {
	if f.next > 0 {
		e.paint(f.color())
		e.buf = append(e.buf, ',')
	}
	e.reset()
	e.newline()
}

func (e *Encoding) key(key string) {
	e.paint(keyColor)
	e.buf = e.Escape.Quote(e.buf, key)
	e.reset()
	e.paint(objectColor)
	e.buf = append(e.buf, ':')
	e.reset()
	if e.Pretty {
		e.buf = append(e.buf, ' ')
	}
}

func (e *Encoding) scalar(color int, text string) {
	e.paint(color)
	e.buf = append(e.buf, text...)
	e.reset()
}

func (e *Encoding) newline() {
	if !e.Pretty {
		return
	}
	e.buf = append(e.buf, '\n')
	if e.Indent != "" {
		for range e.stack {
			e.buf = append(e.buf, e.Indent...)
		}
	}
}

func (e *Encoding) paint(color int) {
	if e.Colors != nil {
		e.buf = append(e.buf, e.Colors[color]...)
	}
}

func (e *Encoding) reset() {
	if e.Colors != nil {
		e.buf = append(e.buf, resetColor...)
	}
}

func (f *frame) color() int {
	if f.object {
		return objectColor
	}
	return arrayColor
}

func (f *frame) opening() byte {
	if f.object {
		return '{'
	}
	return '['
}

func (f *frame) closing() byte {
	if f.object {
		return '}'
	}
	return ']'
}
