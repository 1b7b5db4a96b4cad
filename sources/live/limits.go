package live

import (
	"cmp"
	"context"
	"time"
)

// A Timeout returns a context that ends after d or when ctx ends, as
// context.WithTimeout does.
type Timeout func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)

const (
	defaultFirstByte = 5 * time.Second
	// deadline for the first byte of a response that the server computes before
	// it sends anything; an Envoy takes 2 s for a dump of 29 MB, and several
	// times as long if it is busy
	wholeFirstByte = 15 * time.Second
	maxSilence     = 30 * time.Second // the longest pause within a body, and before the API server begins to respond
	// in each period of this length, at least leastInWindow bytes of a body
	// must arrive; longer than maxSilence
	paceWindow    = 40 * time.Second
	leastInWindow = 40 << 10
	maxWhole      = 10 * time.Minute // deadline for a whole response
	maxBody       = 2 << 30
	maxHeader     = 1 << 20
)

// limits are the deadlines for a response.
type limits struct {
	request time.Duration // deadline for the whole response; 0 means maxWhole, as long as bytes keep arriving
	first   time.Duration // deadline for the first byte, if request is 0
	heavy   time.Duration // deadline for the first byte of a large response, if request is 0
	timeout Timeout       // the function that sets deadlines; if nil, there are no deadlines
}

func newLimits(request, first time.Duration, timeout Timeout) limits {
	heavy := first
	if first <= 0 {
		first, heavy = defaultFirstByte, wholeFirstByte
	}
	return limits{max(request, 0), first, heavy, timeout}
}

// whole returns a context for a request that ends at the deadline of the whole
// response.
func (l limits) whole(ctx context.Context) (context.Context, context.CancelFunc) {
	return l.after(ctx, cmp.Or(l.request, maxWhole))
}

// after returns a context that ends after d. If d is 0, the context has no
// deadline.
func (l limits) after(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 || l.timeout == nil {
		return context.WithCancel(ctx)
	}
	return l.timeout(ctx, d)
}

// beginning returns the deadline for the first byte of a response. It returns 0 if
// only the deadline for the whole request applies.
func (l limits) beginning(q *question) time.Duration {
	switch {
	case l.request > 0:
		return 0
	case q.heavy():
		return l.heavy
	}
	return l.first
}

// silence returns the longest permitted pause between two bytes. It returns 0 if
// any pause is permitted.
func (l limits) silence() time.Duration {
	if l.request > 0 {
		return 0
	}
	return maxSilence
}

// within runs f. It calls stop when ctx ends or d has passed, and stop must
// make f return. stopped is true if stop was called; the caller must then
// ignore the error of f.
func (l limits) within(ctx context.Context, d time.Duration, stop func(), f func() error) (stopped bool, err error) {
	inner, cancel := l.after(ctx, d)
	defer cancel()
	halt := context.AfterFunc(inner, stop)
	err = f()
	return !halt(), err
}
