package encode

import (
	"context"
	"errors"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// LoadResult loads a result of a query so that it can be printed. It loads
// everything in the result at once if the value supports that ([mesh.Whole]).
// Otherwise it loads the result, but not the lazy values inside it. If the
// result is unavailable, LoadResult returns the [mesh.Fault] as an error. An
// unavailable part inside a result is no error: it is printed as null.
func LoadResult(ctx context.Context, v any) (any, error) {
	if w, ok := v.(mesh.Whole); ok {
		return w.Deep(ctx)
	}
	return mesh.Force(ctx, v)
}

// LoadPart loads a part of a result, without the lazy values inside it. If
// the part is unavailable, loaded is nil, available is false, and LoadPart
// reports the fault to ctx (see [mesh.Lost]). Any other failure is returned
// as an error.
func LoadPart(ctx context.Context, v any) (loaded any, available bool, err error) {
	loaded, err = mesh.Force(ctx, v)
	if err != nil && isUnavailable(ctx, err) {
		return nil, false, nil
	}
	return loaded, err == nil, err
}

// LoadWholePart loads a part that will be printed completely. It loads
// everything in the part at once if the value supports that. Otherwise it loads
// the part, but not the lazy values inside it. It returns nil for an
// unavailable part.
func LoadWholePart(ctx context.Context, v any) (any, error) {
	w, ok := v.(mesh.Whole)
	if !ok {
		v, _, err := LoadPart(ctx, v)
		return v, err
	}
	u, err := w.Deep(ctx)
	if err != nil && isUnavailable(ctx, err) {
		return nil, nil
	}
	return u, err
}

// isUnavailable reports whether an error means only that a part of the document
// is unavailable. If so, it also reports the part to ctx.
func isUnavailable(ctx context.Context, err error) bool {
	var fault *mesh.Fault
	if !errors.As(err, &fault) {
		return false
	}
	mesh.Lost(ctx, fault)
	return true
}

// prefetchCount is how many members of an array or object are loaded at the
// same time, including the current one.
const prefetchCount = 8

// prefetch starts to load the next members of an array or object, so that
// requests run in parallel. Two loads of the same value at the same time cause
// only one request. The loads end with ctx.
func (f *frame) prefetch(ctx context.Context) {
	for ; f.ahead < min(f.next+prefetchCount, f.len()); f.ahead++ {
		for _, l := range pending(f.member(f.ahead)) {
			go l.Force(ctx)
		}
	}
}

func (f *frame) member(i int) any {
	if f.object {
		return f.fields.Get(f.keys[i])
	}
	return f.items[i]
}

// pending returns the values that must be requested before v can be printed: v
// itself, or members of v if v is a loaded object.
func pending(v any) (out []mesh.Lazy) {
	l, lazy := v.(mesh.Lazy)
	if lazy && l.Pending() {
		return []mesh.Lazy{l}
	}
	if lazy {
		v, _ = l.Forced()
	}
	fields, _ := v.(*object.Object)
	var keys []string
	for k, w := range fields.All() {
		if l, ok := w.(mesh.Lazy); ok && l.Pending() {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		out = append(out, fields.Get(k).(mesh.Lazy))
	}
	return out
}
