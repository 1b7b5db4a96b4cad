package live

import "context"

// A memo caches one value. While the value is being determined, other callers wait
// for it. After an error, the next caller tries again.
type memo[T any] struct {
	turn  chan struct{}
	known bool
	value T
}

func newMemo[T any]() *memo[T] { return &memo[T]{turn: make(chan struct{}, 1)} }

// get returns the cached value. If there is none, it calls find and caches the
// result.
func (m *memo[T]) get(ctx context.Context, find func() (T, error)) (T, error) {
	var none T
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return none, ended(ctx)
	}
	if m.known {
		return m.value, nil
	}
	v, err := find()
	if err != nil {
		return none, err
	}
	m.known, m.value = true, v
	return v, nil
}

// forget drops the value. No goroutine may be calling get.
func (m *memo[T]) forget() { *m = *newMemo[T]() }
