package printers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// maxDepth is how deep a printed value may be, as deep as the decoder reads.
const maxDepth = 10000

// A style is how JSON is laid out.
type style struct {
	indent string   // what one level is indented by; "" with pretty: newlines only
	pretty bool     // newlines, and a space after a colon
	escape *escapes // what is escaped in strings
	colors *palette // nil: none
	sorted bool     // keys are sorted; else they come as they were set
}

// An encoding is a value on its way to JSON. It keeps its place on a stack of
// its own, so that it can stop when enough is encoded and go on later, and so
// that a deep value costs no deep recursion. What is lazy is loaded when its
// turn comes; what can't be had is null.
type encoding struct {
	style
	buf    []byte // encoded, not yet taken
	stack  []frame
	keys   []string // of all objects on the stack
	root   any
	begun  bool
	broken error // ended it
}

// A frame is a container that is being encoded.
type frame struct {
	object bool
	keys   []string       // of an object
	fields *object.Object // of an object
	items  []any          // of an array
	next   int            // the member whose turn it is
	ahead  int            // the first member that was not loaded ahead
}

func (f *frame) len() int {
	if f.object {
		return len(f.keys)
	}
	return len(f.items)
}

func (s style) encode(v any) *encoding { return &encoding{style: s, root: v} }

// text gives a value as JSON, whole.
func (s style) text(ctx context.Context, v any) ([]byte, error) {
	e := s.encode(v)
	for !e.done() {
		if err := e.more(ctx, len(e.buf)+1<<16); err != nil {
			return nil, err
		}
	}
	return e.buf, nil
}

func (e *encoding) done() bool { return e.begun && len(e.stack) == 0 }

// more encodes until the buffer holds limit bytes, or to the end. An error is
// for good.
func (e *encoding) more(ctx context.Context, limit int) error {
	if e.broken == nil {
		e.broken = ctx.Err()
	}
	for e.broken == nil && len(e.buf) < limit && !e.done() {
		e.broken = e.step(ctx)
	}
	return e.broken
}

// writeTo encodes the rest and writes all of it.
func (e *encoding) writeTo(ctx context.Context, w io.Writer) error {
	for {
		if _, err := w.Write(e.buf); err != nil {
			return err
		}
		e.buf = e.buf[:0]
		if e.done() {
			return nil
		}
		if err := e.more(ctx, 1<<16); err != nil {
			return err
		}
	}
}

// step encodes the next member of the innermost container, or its end.
func (e *encoding) step(ctx context.Context) error {
	if !e.begun {
		e.begun = true
		return e.value(ctx, e.root)
	}
	f := &e.stack[len(e.stack)-1]
	if f.next == f.len() {
		e.end(f)
		return nil
	}
	f.loadAhead(ctx)
	e.separate(f)
	f.next++
	if !f.object {
		return e.value(ctx, f.items[f.next-1])
	}
	key := f.keys[f.next-1]
	e.key(key)
	return e.value(ctx, f.fields.Get(key))
}

func (e *encoding) value(ctx context.Context, v any) error {
	v, err := whole(ctx, v)
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
		e.buf = e.escape.quote(e.buf, v)
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

// keysOf puts the keys of an object behind those of the objects it is in.
func (e *encoding) keysOf(m *object.Object) []string {
	from := len(e.keys)
	for key := range m.All() {
		e.keys = append(e.keys, key)
	}
	keys := e.keys[from:]
	if e.style.sorted {
		slices.Sort(keys)
	}
	return keys
}

// whole looks at a part: one level, or all of it where that is cheaper.
func whole(ctx context.Context, v any) (any, error) {
	w, ok := v.(mesh.Whole)
	if !ok {
		v, _, err := look(ctx, v)
		return v, err
	}
	u, err := w.Deep(ctx)
	if err != nil && missing(ctx, err) {
		return nil, nil
	}
	return u, err
}

func (e *encoding) open(ctx context.Context, f frame) error {
	if f.len() == 0 {
		e.paint(f.color())
		e.buf = append(e.buf, f.opening(), f.closing())
		e.reset()
		return nil
	}
	if len(e.stack) == maxDepth {
		return fmt.Errorf("a result is nested more than %d deep", maxDepth)
	}
	e.stack = append(e.stack, f)
	e.paint(f.color())
	e.buf = append(e.buf, f.opening())
	return nil
}

func (e *encoding) end(f *frame) {
	color, closing := f.color(), f.closing()
	e.keys = e.keys[:len(e.keys)-len(f.keys)]
	e.stack = e.stack[:len(e.stack)-1]
	e.newline()
	e.paint(color)
	e.buf = append(e.buf, closing)
	e.reset()
}

// separate writes what stands in front of a member: where jq changes colours
// is jq's.
func (e *encoding) separate(f *frame) {
	if f.next > 0 {
		e.paint(f.color())
		e.buf = append(e.buf, ',')
	}
	e.reset()
	e.newline()
}

func (e *encoding) key(key string) {
	e.paint(keyColor)
	e.buf = e.escape.quote(e.buf, key)
	e.reset()
	e.paint(objectColor)
	e.buf = append(e.buf, ':')
	e.reset()
	if e.pretty {
		e.buf = append(e.buf, ' ')
	}
}

func (e *encoding) scalar(color int, text string) {
	e.paint(color)
	e.buf = append(e.buf, text...)
	e.reset()
}

func (e *encoding) newline() {
	if !e.pretty {
		return
	}
	e.buf = append(e.buf, '\n')
	if e.indent != "" {
		for range e.stack {
			e.buf = append(e.buf, e.indent...)
		}
	}
}

func (e *encoding) paint(color int) {
	if e.colors != nil {
		e.buf = append(e.buf, e.colors[color]...)
	}
}

func (e *encoding) reset() {
	if e.colors != nil {
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
