package forward

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// These constants limit retries. An upgrade that was temporarily refused is tried
// again, up to mostRetries times. The delay before it is the one that the refusal
// contains, or else usualDelay. A delay is at most longestDelay, so that no server
// can delay a run for long. The API server's priority and fairness does not apply
// to these requests, but the limits of gateways in front of it do.
const (
	mostRetries  = 10
	usualDelay   = time.Second
	longestDelay = 10 * time.Second
)

// retrying calls open until it succeeds or fails permanently. It returns the
// error of the last attempt. If ctx ends, retrying stops waiting between two
// attempts.
func (d *upgrader) retrying(ctx context.Context, open func() error) error {
	for n := 0; ; n++ {
		err := open()
		delay, isTemporary := retryDelay(err)
		if !isTemporary || n == mostRetries {
			return err
		}
		d.refused.Add(1)
		limited, cancel := d.o.Timeout(ctx, delay)
		<-limited.Done()
		cancel()
		d.refused.Add(-1)
		if ctx.Err() != nil {
			return err
		}
	}
}

// retryDelay reports whether a refusal is temporary, and how long to wait.
// Status 429 is always temporary. Status 503 is temporary if it contains a
// delay. The headers of a refused WebSocket are not available, so the delay is
// known only if it is in the body.
func retryDelay(err error) (time.Duration, bool) {
	var s *apierrors.StatusError
	if !errors.As(err, &s) {
		return 0, false
	}
	delay := usualDelay
	if d := s.ErrStatus.Details; d != nil && d.RetryAfterSeconds > 0 {
		delay = min(time.Duration(d.RetryAfterSeconds)*time.Second, longestDelay)
	} else if s.ErrStatus.Code == http.StatusServiceUnavailable {
		return 0, false
	}
	return delay, s.ErrStatus.Code == http.StatusTooManyRequests || s.ErrStatus.Code == http.StatusServiceUnavailable
}

// retryAfter returns the number of seconds in a Retry-After header, or 0 if
// there is none. It ignores a date, because clocks differ.
func retryAfter(h http.Header) int {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}
