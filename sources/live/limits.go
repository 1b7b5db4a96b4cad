package live

import (
	"cmp"
	"context"
	"time"
)

// A Timeout gives a context that ends after d, or with ctx:
// context.WithTimeout is one.
type Timeout func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)

const (
	defaultFirstByte = 5 * time.Second
	wholeFirstByte   = 15 * time.Second // of what is computed whole before its first byte: a dump of 29 MB takes an Envoy 2 s, a busy one several times that
	maxSilence       = 30 * time.Second // between two parts of a body; until the API server begins to answer
	paceWindow       = 40 * time.Second // in which leastInWindow bytes of a body come, or more than maxSilence
	leastInWindow    = 40 << 10
	maxWhole         = 10 * time.Minute // for all of an answer
	maxBody          = 2 << 30
	maxHeader        = 1 << 20
)

// limits say how long an answer is waited for.
type limits struct {
	request time.Duration // for all of it; 0: maxWhole, and as long as something comes
	first   time.Duration // for its beginning, where request is 0
	heavy   time.Duration // and for that of a heavy one
	timeout Timeout       // nil: without end
}

func newLimits(request, first time.Duration, timeout Timeout) limits {
	heavy := first
	if first <= 0 {
		first, heavy = defaultFirstByte, wholeFirstByte
	}
	return limits{max(request, 0), first, heavy, timeout}
}

// whole gives the context of a whole request.
func (l limits) whole(ctx context.Context) (context.Context, context.CancelFunc) {
	return l.after(ctx, cmp.Or(l.request, maxWhole))
}

// after gives a context that ends after d, where that is not 0.
func (l limits) after(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 || l.timeout == nil {
		return context.WithCancel(ctx)
	}
	return l.timeout(ctx, d)
}

// beginning is how long the first byte may take; 0: as long as the request.
func (l limits) beginning(q *question) time.Duration {
	switch {
	case l.request > 0:
		return 0
	case q.heavy():
		return l.heavy
	}
	return l.first
}

// silence is how long nothing may come once something did.
func (l limits) silence() time.Duration {
	if l.request > 0 {
		return 0
	}
	return maxSilence
}

// within does f, and ends it by stop when ctx ends or d is over. It tells
// whether it did: then f's error says nothing.
func (l limits) within(ctx context.Context, d time.Duration, stop func(), f func() error) (stopped bool, err error) {
	inner, cancel := l.after(ctx, d)
	defer cancel()
	halt := context.AfterFunc(inner, stop)
	err = f()
	return !halt(), err
}
