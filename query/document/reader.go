package document

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Reader reads values of the document and stores the first error, as a bufio.Scanner
// does. After an error every read returns a zero value, so callers need to check Err only
// after a group of reads. A Reader must be used by one goroutine only.
type Reader struct {
	Ctx context.Context
	Err error
}

// NewReader returns a Reader that stops loading when ctx ends.
func NewReader(ctx context.Context) *Reader { return &Reader{Ctx: ctx} }

// Force loads a value, but not the parts of the value, as [mesh.Force] does.
func (r *Reader) Force(v any) any {
	if r == nil || r.Err != nil { // the zero Message has no Reader
		return nil
	}
	v, err := mesh.Force(r.Ctx, v)
	if err != nil {
		r.Err = err
		return nil
	}
	return v
}

// Deep loads a value with all its parts, as [mesh.Deep] does.
func (r *Reader) Deep(v any) any {
	if r == nil || r.Err != nil {
		return nil
	}
	v, err := mesh.Deep(r.Ctx, v)
	if err != nil {
		r.Err = err
		return nil
	}
	return v
}

// Get returns the value at a path of member names, or nil if there is none. It loads only
// the objects on the path. If an object knows the member in advance, only the member is
// loaded. The returned value may be lazy.
func (r *Reader) Get(v any, path ...string) any {
	for _, key := range path {
		if r == nil || r.Err != nil {
			return nil
		}
		w, err := mesh.Get(r.Ctx, v, key)
		if err != nil {
			r.Err = err
			return nil
		}
		v = w
	}
	return v
}

// Text returns the string at a path of member names, or an empty string if there is none.
func (r *Reader) Text(v any, path ...string) string { return read[string](r, v, path) }

// Flag reports whether the value at a path of member names is true.
func (r *Reader) Flag(v any, path ...string) bool { return read[bool](r, v, path) }

// Number returns the integer at a path of member names, or 0 if there is none.
func (r *Reader) Number(v any, path ...string) int { return int(toInteger(r.Force(r.Get(v, path...)))) }

// List returns the array at a path of member names, or nil if there is none.
func (r *Reader) List(v any, path ...string) []any { return read[[]any](r, v, path) }

// Object returns the object at a path of member names, or nil if there is none.
func (r *Reader) Object(v any, path ...string) *object.Object {
	return read[*object.Object](r, v, path)
}

func read[T any](r *Reader, v any, path []string) (t T) {
	t, _ = r.Force(r.Get(v, path...)).(T)
	return t
}

// toInteger converts a number of any type to an integer. It also accepts strings, because
// protojson writes 64-bit integers as strings.
func toInteger(v any) int64 {
	switch n := v.(type) {
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
