package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
)

func TestNoMoreSessionsThanPlaces(t *testing.T) {
	c := newCluster(t)
	var mu sync.Mutex
	var now, most int
	c.serves(t, "15000", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		runtime.Gosched()
		hello(w, r)
		mu.Lock()
		now--
		mu.Unlock()
	})
	p := c.pool(t, Options{Sessions: 3})
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			pod := fmt.Sprintf("p%d", i)
			defer p.Release("shop", pod)
			if got, err := get(within(t), p, pod, 15000, "/"); got != "hello /" {
				t.Errorf("%s: %q, %v", pod, got, err)
			}
		})
	}
	all.Wait()
	if most > 3 {
		t.Errorf("%d pods at once", most)
	}
	if n := len(p.slots.held); n > 3 {
		t.Errorf("%d sessions held", n)
	}
}

func TestReleasedSessionIsReusedOrGivenUp(t *testing.T) {
	c := newCluster(t)
	c.serves(t, "15000", hello)
	p := c.pool(t, Options{Sessions: 2})
	ask := func(pod string) {
		t.Helper()
		if got, err := get(within(t), p, pod, 15000, "/"); got != "hello /" {
			t.Fatalf("%s: %q, %v", pod, got, err)
		}
		p.Release("shop", pod)
	}
	for _, pod := range []string{"a", "b", "a", "c", "a", "b"} { // pod c takes the slot of pod b
		ask(pod)
	}
	for pod, want := range map[string]int{"a": 1, "b": 2, "c": 1} {
		if n := c.count("websocket " + pod + ".shop"); n != want {
			t.Errorf("%d sessions to %s, not %d", n, pod, want)
		}
	}
}

func TestOpenConnectionsAreGivenUpLast(t *testing.T) {
	c := newCluster(t)
	c.serves(t, "15000", hello)
	p := c.pool(t, Options{Sessions: 2})
	open, err := p.DialContext(within(t), "shop", "a", 15000)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	p.Release("shop", "a")
	for _, pod := range []string{"b", "c"} {
		conn, err := p.DialContext(within(t), "shop", pod, 15000)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		p.Release("shop", pod)
	}
	fmt.Fprint(open, "GET /x HTTP/1.0\r\n\r\n")
	if b, err := io.ReadAll(open); err != nil || len(b) == 0 {
		t.Errorf("released first, but with a connection: %q, %v", b, err)
	}
}

func TestPodInUseKeepsItsPlace(t *testing.T) {
	c := newCluster(t)
	c.serves(t, "15000", hello)
	p := c.pool(t, Options{Sessions: 1})
	inUse, err := p.DialContext(within(t), "shop", "a", 15000)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := p.DialContext(ctx, "shop", "b", 15000)
		failed <- err
	}()
	queued(p, 1)
	why := errors.New("enough")
	cancel(why)
	if err := <-failed; err != why {
		t.Errorf("waited for a place: %v", err)
	}
	if got, err := get(within(t), p, "a", 15000, "/"); got != "hello /" {
		t.Errorf("one whose pod has a place: %q, %v", got, err)
	}

	served := make(chan error, 1)
	go func() {
		_, err := get(within(t), p, "b", 15000, "/")
		served <- err
	}()
	queued(p, 1)
	p.Release("shop", "a")
	if err := <-served; err != nil {
		t.Errorf("after the release: %v", err)
	}
	if _, err := io.ReadAll(inUse); !errors.Is(err, LostError{}) {
		t.Errorf("a connection left open: %v", err)
	}
}

// queued waits until n callers wait for a slot.
func queued(p *Pool, n int) {
	for {
		p.mu.Lock()
		m := len(p.slots.queue)
		p.mu.Unlock()
		if m >= n {
			return
		}
		runtime.Gosched()
	}
}

func TestFailedPodGivesItsPlaceBack(t *testing.T) {
	c := newCluster(t)
	c.serves(t, "15000", hello)
	c.refuse = func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if r.URL.Path == "/api/v1/namespaces/shop/pods/gone/portforward" {
			status(w, 404, "NotFound", `pods "gone" not found`)
			return true
		}
		return false
	}
	p := c.pool(t, Options{Sessions: 1})
	for range 3 { // dial three times without calling Release
		if _, err := p.DialContext(within(t), "shop", "gone", 15000); err == nil {
			t.Fatal("no error")
		}
		if _, err := p.DialContext(within(t), "shop", "a", 0); err == nil {
			t.Fatal("no error")
		}
	}
	if got, err := get(within(t), p, "b", 15000, "/"); got != "hello /" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNothingIsLeftAfterClose(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		c.serves(t, "15000", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/endless" {
				for b := make([]byte, 64<<10); ; {
					if _, err := w.Write(b); err != nil {
						return
					}
				}
			}
			hello(w, r)
		})
		if _, err := get(within(t), c.pool(t, Options{}), "warm", 15000, "/"); err != nil {
			t.Fatal(err)
		}
		c.kill("")
		before := runtime.NumGoroutine()
		p := c.pool(t, Options{Sessions: 2, Buffer: 1 << 20})
		var open []net.Conn
		for _, pod := range []string{"a", "b"} {
			for _, path := range []string{"/endless", "/"} {
				conn, err := p.DialContext(within(t), "shop", pod, 15000)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: pod\r\n\r\n", path)
				open = append(open, conn)
			}
		}
		var all sync.WaitGroup
		all.Go(func() { io.Copy(io.Discard, open[0]) }) // only one of the connections is read
		all.Go(func() {
			if _, err := p.DialContext(context.Background(), "shop", "c", 15000); err != net.ErrClosed {
				t.Errorf("who waits for a place: %v", err)
			}
		})
		queued(p, 1)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
		if _, err := open[1].Read(make([]byte, 1)); err == io.EOF {
			t.Error("an open connection ends as if the pod had ended it")
		}
		if _, err := p.DialContext(within(t), "shop", "a", 15000); err != net.ErrClosed {
			t.Errorf("dial after Close: %v", err)
		}
		for _, stack := range left(t) {
			t.Errorf("left after Close:\n%s", stack)
		}
		open[0].Close()
		p.Close()
		settled(t, before)
	})
}

// TestPausedSessionsLeaveTheirPlace checks that a paused session makes its slot
// available to another pod. While the API server refuses sessions, none may be
// paused.
func TestPausedSessionsLeaveTheirPlace(t *testing.T) {
	c := newCluster(t)
	c.serves(t, "15000", hello)
	p := c.pool(t, Options{Sessions: 1})
	dial := func(ctx context.Context, pod string) (net.Conn, error) { return p.DialContext(ctx, "shop", pod, 15000) }
	a, err := dial(within(t), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	p.upgrader.refused.Add(1)
	if p.Pause("shop", "a", true) || p.slots.paused != 0 {
		t.Error("paused while the API server refuses sessions")
	}
	p.upgrader.refused.Add(-1)
	short, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := dial(short, "b"); !errors.Is(err, context.Canceled) {
		t.Errorf("two sessions in one place: %v", err)
	}
	if !p.Pause("shop", "a", true) {
		t.Error("not paused")
	}
	b, err := dial(within(t), "b")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p.Pause("shop", "a", false)
	if len(p.slots.held) != 2 || p.slots.paused != 0 {
		t.Errorf("%d sessions are held and %d are paused", len(p.slots.held), p.slots.paused)
	}
	b.Close()
	p.Release("shop", "b")
	p.Release("shop", "a")
	if p.slots.paused != 0 {
		t.Errorf("%d sessions are paused", p.slots.paused)
	}
}
