package forward

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// An upgrade that is refused for the moment is tried again: up to mostRetries
// times, after the delay that the refusal names, else after usualDelay. The API
// server's priority and fairness does not apply to these requests; the limits of
// gateways in front of it do.
const (
	mostRetries = 10
	usualDelay  = time.Second
)

// retrying calls open until it succeeds or fails for good. The error is that of
// the last try; the end of ctx ends the delay between two.
func (d *upgrader) retrying(ctx context.Context, open func() error) error {
	for n := 0; ; n++ {
		err := open()
		delay, isTemporary := retryDelay(err)
		if !isTemporary || n == mostRetries {
			return err
		}
		limited, cancel := d.o.Timeout(ctx, delay)
		<-limited.Done()
		cancel()
		if ctx.Err() != nil {
			return err
		}
	}
}

// retryDelay reports whether a refusal is temporary, and how long to wait: 429
// always is, 503 only if it names the time. What a WebSocket is refused with has
// no headers: there only a delay in the body is known.
func retryDelay(err error) (time.Duration, bool) {
	var s *apierrors.StatusError
	if !errors.As(err, &s) {
		return 0, false
	}
	delay := usualDelay
	if d := s.ErrStatus.Details; d != nil && d.RetryAfterSeconds > 0 {
		delay = time.Duration(d.RetryAfterSeconds) * time.Second
	} else if s.ErrStatus.Code == http.StatusServiceUnavailable {
		return 0, false
	}
	return delay, s.ErrStatus.Code == http.StatusTooManyRequests || s.ErrStatus.Code == http.StatusServiceUnavailable
}

// retryAfter returns the seconds of a Retry-After header; 0 if it has none. A
// date counts as none: clocks differ.
func retryAfter(h http.Header) int {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}
