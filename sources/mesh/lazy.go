package mesh

import (
	"context"
	"slices"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Lazy is a value that is fetched or decoded when it is read. Its methods may
// be called by several goroutines at once.
type Lazy interface {
	// Force returns the value one level deep. The value is a scalar, or a []any
	// or *object.Object whose members may be lazy themselves, but never a Lazy.
	// The caller must not change it. The error is a [*Fault] or the context's
	// error.
	Force(ctx context.Context) (any, error)

	// Forced returns the result of Force if it is already known; otherwise ok is
	// false.
	Forced() (v any, ok bool)

	// Pending reports whether Force would send a request or read a whole section.
	// Such values are worth forcing concurrently. A value that only needs to
	// decode a few local bytes is not pending.
	Pending() bool
}

// A Whole is a [Lazy] that can return everything inside it more cheaply than by
// forcing it level by level.
type Whole interface {
	Lazy
	// Deep returns the value without any lazy parts. The Whole itself keeps no
	// copy.
	Deep(ctx context.Context) (any, error)
}

// Force returns v one level deep. Plain values are returned unchanged.
func Force(ctx context.Context, v any) (any, error) {
	if l, ok := v.(Lazy); ok {
		return l.Force(ctx)
	}
	return v, nil
}

// Get returns a member of the object v. It returns nil if v has no such member or
// is not an object.
func Get(ctx context.Context, v any, key string) (any, error) {
	if k, ok := v.(Known); ok {
		if w, ok := k.Member(key); ok {
			return w, nil
		}
	}
	v, err := Force(ctx, v)
	if err != nil {
		return nil, err
	}
	m, _ := v.(*object.Object)
	return m.Get(key), nil
}

// Deep returns v without any lazy parts. Parts that contain nothing lazy are
// returned as they are, without a copy.
func Deep(ctx context.Context, v any) (any, error) {
	if w, ok := v.(Whole); ok {
		return w.Deep(ctx)
	}
	v, err := Force(ctx, v)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case []any:
		return deepArray(ctx, x)
	case *object.Object:
		return deepObject(ctx, x)
	}
	return v, nil
}

func deepArray(ctx context.Context, x []any) (any, error) {
	var out []any
	for i, w := range x {
		if !container(w) {
			continue
		}
		u, err := Deep(ctx, w)
		if err != nil {
			return nil, err
		}
		if out == nil {
			if same(u, w) {
				continue
			}
			out = slices.Clone(x)
		}
		out[i] = u
	}
	if out == nil {
		return x, nil
	}
	return out, nil
}

func deepObject(ctx context.Context, x *object.Object) (any, error) {
	var out *object.Object
	for k, w := range x.All() {
		if !container(w) {
			continue
		}
		u, err := Deep(ctx, w)
		if err != nil {
			return nil, err
		}
		if out == nil {
			if same(u, w) {
				continue
			}
			out = x.Clone()
		}
		out.Set(k, u)
	}
	if out == nil {
		return x, nil
	}
	return out, nil
}

func container(v any) bool {
	switch v.(type) {
	case []any, *object.Object, Lazy:
		return true
	}
	return false
}

// same reports whether two values are the same container in memory, because
// Deep had nothing to replace in it.
func same(u, w any) bool {
	if _, ok := w.(Lazy); ok {
		return false
	}
	return Identical(u, w)
}

// Later returns a lazy value that needs no request, such as a derived field or a
// view of another value. compute is called at the first read, and may be called
// again if it returned an error.
func Later(compute func(ctx context.Context) (any, error)) Lazy { return &later{compute: compute} }

type later struct {
	mu      sync.Mutex
	compute func(context.Context) (any, error)
	v       any
	done    bool
}

func (l *later) Force(ctx context.Context) (any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return l.v, nil
	}
	v, err := l.compute(ctx)
	if err == nil {
		v, err = Force(ctx, v)
	}
	if err != nil {
		return nil, err
	}
	l.v, l.done, l.compute = v, true, nil
	return v, nil
}

func (l *later) Forced() (any, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.v, l.done
}

func (*later) Pending() bool { return false }

// A Sectional is a [Lazy] that is a section. Reading it costs a request, unless
// it was read before; it stays a Sectional afterwards.
type Sectional interface {
	Lazy
	Sectional()
}

// Identical reports whether two values are the same container in memory. It
// doesn't compare the contents: two equal objects are not identical, and scalars
// never are.
func Identical(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0])
	case *object.Object:
		y, ok := b.(*object.Object)
		return ok && x == y
	}
	return false
}
