package live

import "context"

// A memo finds something out once. Who asks while it is being found out waits;
// what failed is tried again by the next who asks.
type memo[T any] struct {
	turn  chan struct{}
	known bool
	value T
}

func newMemo[T any]() *memo[T] { return &memo[T]{turn: make(chan struct{}, 1)} }

// get gives what find gave to the first.
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

// forget makes it be found out anew. Nobody may be asking.
func (m *memo[T]) forget() { *m = *newMemo[T]() }
