package mesh

import (
	"context"
	"sync"
)

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
