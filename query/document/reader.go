package document

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Reader reads values of the document and keeps the first error, as a
// bufio.Scanner does: after an error every read returns a zero value. The caller
// checks Err after a group of reads. A Reader belongs to one goroutine.
type Reader struct {
	Ctx context.Context
	Err error
}

// NewReader returns a Reader whose reads end with ctx.
func NewReader(ctx context.Context) *Reader { return &Reader{Ctx: ctx} }

// Force returns a value one level deep, as [mesh.Force] does.
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

// Deep returns a value with nothing lazy in it, as [mesh.Deep] does.
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

// Get returns the value at a path of member names, nil where there is none. Only
// the objects on the path are loaded, and of an object that knows its members
// only the member: the value itself may be lazy.
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

// Text returns the string at a path, empty where there is none.
func (r *Reader) Text(v any, path ...string) string { return read[string](r, v, path) }

// Flag returns whether the value at a path is true.
func (r *Reader) Flag(v any, path ...string) bool { return read[bool](r, v, path) }

// Number returns the integer at a path, 0 where there is none.
func (r *Reader) Number(v any, path ...string) int { return int(toInteger(r.Force(r.Get(v, path...)))) }

// List returns the array at a path, nil where there is none.
func (r *Reader) List(v any, path ...string) []any { return read[[]any](r, v, path) }

// Object returns the object at a path, nil where there is none.
func (r *Reader) Object(v any, path ...string) *object.Object {
	return read[*object.Object](r, v, path)
}

func read[T any](r *Reader, v any, path []string) (t T) {
	t, _ = r.Force(r.Get(v, path...)).(T)
	return t
}

// toInteger reads a number of any type. Protojson writes integers of 64 bits as
// strings.
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
