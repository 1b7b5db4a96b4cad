package mesh

import (
	"context"
	"slices"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// Lazy is a value that is fetched or decoded when something looks into it.
// All methods may be called by several goroutines at once.
type Lazy interface {
	// Force gives the value one level deep: a scalar, or a []any or
	// *object.Object whose members may be lazy themselves. It never gives a
	// Lazy. The result must not be changed. An error is a [*Fault], or the
	// context's.
	Force(ctx context.Context) (any, error)

	// Forced gives what Force would give when that costs nothing; ok is false
	// otherwise.
	Forced() (v any, ok bool)

	// Pending says that Force would have to ask somebody or read a whole
	// section: worth doing for several values at once. Local decoding of a
	// few bytes is not pending.
	Pending() bool
}

// Whole is a [Lazy] that has a cheaper way to everything inside it than to
// force it level by level.
type Whole interface {
	Lazy
	// Deep gives the value with nothing lazy in it. It keeps no copy.
	Deep(ctx context.Context) (any, error)
}

// Force looks at v one level deep. Plain values are given back as they are.
func Force(ctx context.Context, v any) (any, error) {
	if l, ok := v.(Lazy); ok {
		return l.Force(ctx)
	}
	return v, nil
}

// Get gives the member of an object, and nil where v has none or is not an
// object.
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

// Deep gives v with nothing lazy in it. What held nothing lazy is given back
// as it was, not copied.
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

// same tells whether Deep gave back the container it was given.
func same(u, w any) bool {
	if _, ok := w.(Lazy); ok {
		return false
	}
	return Identical(u, w)
}

// Later is a value that is made, without asking anybody, when it is first
// looked at: a derived fact, or a view of another value. Make may be called
// again when it ended with an error.
func Later(make func(ctx context.Context) (any, error)) Lazy { return &later{make: make} }

type later struct {
	mu   sync.Mutex
	make func(context.Context) (any, error)
	v    any
	done bool
}

func (l *later) Force(ctx context.Context) (any, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return l.v, nil
	}
	v, err := l.make(ctx)
	if err == nil {
		v, err = Force(ctx, v)
	}
	if err != nil {
		return nil, err
	}
	l.v, l.done, l.make = v, true, nil
	return v, nil
}

func (l *later) Forced() (any, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.v, l.done
}

func (*later) Pending() bool { return false }

// Sectional marks a [Lazy] that is a section: it hangs in the document in
// place of something that has to be asked for, whether or not it was by now.
type Sectional interface {
	Lazy
	Sectional()
}

// Identical tells whether two values are one and the same container in
// memory. It looks at no content: two equal objects are not identical. Scalars
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
