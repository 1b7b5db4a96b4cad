package live

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// soonPaused is a Timeout that pauses requests long before their deadlines.
func soonPaused(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == pauseAfter {
		return context.WithTimeout(ctx, 10*time.Millisecond)
	}
	return context.WithTimeout(ctx, d/5)
}

// TestRequestsThatWaitLongArePaused checks that a request whose answer doesn't begin
// is paused until it ends, over a connection and in a program. Other requests must
// not be paused.
func TestRequestsThatWaitLongArePaused(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.raw(t, "mute.shop:15000", silent)
	n.serve(t, "quick.shop:15000", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") })
	n.noDial["exec"] = true
	// Here the program prints nothing, because n.exec is nil.
	c := newCluster(t, api, n, func(o *ClusterOptions) { o.Timeout, o.FirstByte = soonPaused, time.Second })
	for name, want := range map[string][2]int{"quick.shop": {0, 0}, "mute.shop": {1, 0}, "mute.exec": {1, 0}} {
		if n.paused = nil; name == "quick.shop" {
			c.timeout = context.WithTimeout
		} else {
			c.timeout = soonPaused
		}
		pauses, resumed := 0, 0
		ctx := mesh.WithPause(t.Context(), func() func(context.Context) error {
			pauses++
			return func(context.Context) error { resumed++; return nil }
		})
		c.Fetch(ctx, name, "config_dump", mesh.Hint{})
		if [2]int{pauses, resumed} != want {
			t.Errorf("%s: paused %d times and resumed %d times", name, pauses, resumed)
		}
		if calls := []string{name + " true", name + " false"}; pauses > 0 && !slices.Equal(n.paused, calls) || pauses == 0 && len(n.paused) > 0 {
			t.Errorf("%s: %q", name, n.paused)
		}
	}
}

// TestAnswerOfPausedRequestWaitsForSlot checks that the rest of an answer is
// read only when the paused load may run again.
func TestAnswerOfPausedRequestWaitsForSlot(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	begin := make(chan struct{})
	n.raw(t, "a.shop:15000", func(c net.Conn) {
		c.Read(make([]byte, 4096))
		<-begin
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		silent(c)
	})
	c := newCluster(t, api, n, func(o *ClusterOptions) { o.Timeout, o.FirstByte = soonPaused, time.Second })
	resumed, free := make(chan struct{}), make(chan struct{})
	ctx := mesh.WithPause(t.Context(), func() func(context.Context) error {
		close(begin)
		return func(ctx context.Context) error {
			close(resumed)
			<-free
			return ctx.Err()
		}
	})
	got := make(chan error)
	go func() {
		_, err := c.Fetch(ctx, "a.shop", "stats?x", mesh.Hint{})
		got <- err
	}()
	<-resumed
	before := c.Stats().Bytes
	close(free)
	if err := <-got; err != nil || c.Stats().Bytes != before+2 {
		t.Errorf("%v, %d bytes before the pause ended and %d after it", err, before, c.Stats().Bytes)
	}
}

// TestNothingIsPausedUnderRefusals checks that no request is paused while the
// API server refuses connections.
func TestNothingIsPausedUnderRefusals(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.busy = true
	n.raw(t, "mute.shop:15000", silent)
	c := newCluster(t, api, n, func(o *ClusterOptions) { o.Timeout, o.FirstByte = soonPaused, time.Second })
	ctx := mesh.WithPause(t.Context(), func() func(context.Context) error {
		t.Error("paused")
		return func(context.Context) error { return nil }
	})
	c.Fetch(ctx, "mute.shop", "stats?x", mesh.Hint{})
	if len(n.paused) == 0 || slices.Contains(n.paused, "mute.shop false") {
		t.Errorf("%q", n.paused)
	}
}
