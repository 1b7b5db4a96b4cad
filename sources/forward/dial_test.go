package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func hello(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello %s", r.URL.Path) }

// noWebSockets refuses a WebSocket upgrade in the same way as a server that
// doesn't support tunneling over WebSockets.
func noWebSockets(w http.ResponseWriter, _ *http.Request, way string) bool {
	if way == "websocket" {
		http.Error(w, "unable to upgrade: no tunneling spdy protocols provided", http.StatusBadRequest)
	}
	return way == "websocket"
}

// ways runs a test twice: over a WebSocket and over SPDY.
func ways(t *testing.T, f func(t *testing.T, c *cluster, way string)) {
	t.Run("websocket", func(t *testing.T) { f(t, newCluster(t), "websocket") })
	t.Run("spdy", func(t *testing.T) {
		c := newCluster(t)
		c.refuse = noWebSockets
		f(t, c, "spdy")
	})
}

func TestManyConnectionsOneSession(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		c.serves(t, "15000", hello)
		p := c.pool(t, Options{})
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				path := fmt.Sprintf("/%d", i)
				if got, err := get(within(t), p, "a", 15000, path); err != nil || got != "hello "+path {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		all.Wait()
		if n := c.count(way + " a.shop"); n != 1 {
			t.Errorf("%d sessions over %s", n, way)
		}
	})
}

// TestSessionsResumeTLS checks that only the first of several sessions needs a
// full TLS handshake with the API server. The others resume the first one,
// which saves the API server a signature.
func TestSessionsResumeTLS(t *testing.T) {
	c := newCluster(t)
	c.serves(t, "15000", hello)
	p := c.pool(t, Options{})
	pods := []string{"a", "b", "c", "d"}
	for _, pod := range pods {
		if _, err := get(within(t), p, pod, 15000, "/"); err != nil {
			t.Fatal(err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resumed != len(pods)-1 {
		t.Errorf("%d of %d TLS sessions were resumed", c.resumed, len(pods))
	}
}

func TestRefusedAndUnknownPorts(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close() // no process listens on this address any more
		c.leads("15000", l.Addr().String())
		c.serves(t, "15014", hello)
		p := c.pool(t, Options{})

		_, err = get(within(t), p, "a", 15000, "/")
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Error() != "port 15000 refused" || !strings.Contains(refused.Text, "127.0.0.1") {
			t.Errorf("refused port: %v", err)
		}
		_, err = get(within(t), p, "a", 15098, "/")
		var not *ForwardError
		if !errors.As(err, &not) || not.Error() != "port 15098 not forwarded: forward not found for port 15098" {
			t.Errorf("unknown port: %v", err)
		}
		_, err = p.DialContext(within(t), "shop", "a", 0)
		if !errors.As(err, &not) || not.Error() != "port 0 not forwarded: stream refused" {
			t.Errorf("port 0: %v", err)
		}
		_, err = p.DialContext(within(t), "shop", "a", 1)
		if !errors.As(err, &not) || not.Error() != "port 1 not forwarded: no network namespace" {
			t.Errorf("port 1: %v", err)
		}
		if got, err := get(within(t), p, "a", 15014, "/x"); got != "hello /x" {
			t.Errorf("the session after them: %q, %v", got, err)
		}
		if n := c.count(way + " a.shop"); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

const mayNot = `pods "a" is forbidden: User "u" cannot %s resource "pods/portforward" in API group "" in the namespace "shop"`

func TestWhatIsRefused(t *testing.T) {
	long := strings.Repeat("arn:aws:iam::123456789012:role/reader ", 60)
	for _, test := range []struct {
		name   string
		refuse func(w http.ResponseWriter, r *http.Request, way string) bool
		token  string
		is     func(error) bool
		text   string
		tried  int
	}{
		{name: "no such pod", tried: 1, is: apierrors.IsNotFound, text: `pods "a" not found`,
			refuse: func(w http.ResponseWriter, _ *http.Request, _ string) bool {
				status(w, 404, metav1.StatusReasonNotFound, `pods "a" not found`)
				return true
			}},
		{name: "no such pod, in more words than are read", tried: 1, is: apierrors.IsNotFound, text: `pods "a" not found`,
			refuse: func(w http.ResponseWriter, _ *http.Request, _ string) bool {
				w.WriteHeader(404)
				fmt.Fprintf(w, `{"kind":"Status","message":"pods \"a\" not found","reason":"NotFound","details":{"name":%q}}`, long)
				return true
			}},
		{name: "bad token", token: "bad", tried: 1, is: apierrors.IsUnauthorized, text: "Unauthorized"},
		{name: "neither verb", tried: 2, is: apierrors.IsForbidden, text: fmt.Sprintf(mayNot, "create"),
			refuse: func(w http.ResponseWriter, _ *http.Request, way string) bool {
				status(w, 403, metav1.StatusReasonForbidden, fmt.Sprintf(mayNot, map[string]string{"websocket": "get", "spdy": "create"}[way]))
				return true
			}},
		{name: "get only", tried: 2, is: apierrors.IsForbidden, text: fmt.Sprintf(mayNot, "create"),
			refuse: func(w http.ResponseWriter, _ *http.Request, way string) bool {
				text := `pods "a" is forbidden: `
				if way == "spdy" {
					text = fmt.Sprintf(mayNot, "create")
				}
				status(w, 403, metav1.StatusReasonForbidden, text)
				return true
			}},
		{name: "a wall before SPDY", tried: 2, is: apierrors.IsForbidden, text: fmt.Sprintf(mayNot, "get"),
			refuse: func(w http.ResponseWriter, _ *http.Request, way string) bool {
				if way == "spdy" {
					http.Error(w, "Forbidden", http.StatusForbidden)
				} else {
					status(w, 403, metav1.StatusReasonForbidden, fmt.Sprintf(mayNot, "get"))
				}
				return true
			}},
		{name: "no kubelet", tried: 1, is: apierrors.IsInternalError, text: "error dialing backend: no route to host",
			refuse: func(w http.ResponseWriter, _ *http.Request, _ string) bool {
				status(w, 500, metav1.StatusReasonInternalError, "error dialing backend: no route to host")
				return true
			}},
		{name: "a proxy on the way", tried: 2, is: apierrors.IsUnexpectedServerError, text: "the API server answered 502 Bad Gateway",
			refuse: func(w http.ResponseWriter, _ *http.Request, _ string) bool {
				w.WriteHeader(502)
				io.WriteString(w, "<html>Bad Gateway</html>")
				return true
			}},
		{name: "another protocol", tried: 2, is: func(error) bool { return true }, text: `the API server speaks "", not "portforward.k8s.io"`,
			refuse: func(w http.ResponseWriter, _ *http.Request, way string) bool {
				if way == "websocket" {
					return noWebSockets(w, nil, way)
				}
				w.Header().Set("Connection", "Upgrade")
				w.Header().Set("Upgrade", "SPDY/3.1")
				w.WriteHeader(101)
				return true
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t)
			c.refuse = test.refuse
			p := c.pool(t, Options{})
			if test.token != "" {
				p.Close()
				cfg := c.config()
				cfg.BearerToken = test.token
				var err error
				if p, err = New(cfg, Options{Timeout: context.WithTimeout}); err != nil {
					t.Fatal(err)
				}
				defer p.Close()
			}
			_, err := p.DialContext(within(t), "shop", "a", 15000)
			if err == nil || !test.is(err) || err.Error() != test.text {
				t.Errorf("%v", err)
			}
			if len(c.tried) != test.tried {
				t.Errorf("tried %q", c.tried)
			}
		})
	}
}

func TestSPDYIsRememberedByNamespace(t *testing.T) {
	c := newCluster(t)
	c.serves(t, "15000", hello)
	c.refuse = func(w http.ResponseWriter, _ *http.Request, way string) bool {
		if way == "websocket" {
			status(w, 403, metav1.StatusReasonForbidden, fmt.Sprintf(mayNot, "get"))
		}
		return way == "websocket"
	}
	p := c.pool(t, Options{})
	for _, name := range [][2]string{{"shop", "a"}, {"shop", "b"}, {"till", "a"}} {
		conn, err := p.DialContext(within(t), name[0], name[1], 15000)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	want := []string{"websocket portforward a.shop", "spdy portforward a.shop", "spdy portforward b.shop", "websocket portforward a.till", "spdy portforward a.till"}
	if !slices.Equal(c.tried, want) {
		t.Errorf("%q", c.tried)
	}
}

func TestNamesAreNoPaths(t *testing.T) {
	c := newCluster(t)
	p := c.pool(t, Options{})
	for _, name := range [][2]string{{"shop", ".."}, {"shop", "a/exec"}, {"", "a"}, {"shop", ""}, {"a%2fb", "a"}} {
		if _, err := p.DialContext(within(t), name[0], name[1], 15000); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	if len(c.tried) > 0 {
		t.Errorf("tried %q", c.tried)
	}
}

const large = 2 << 20

func TestStalledReadersHoldNobodyUp(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		sent := make(chan int, 6)
		c.serves(t, "15000", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/large" {
				hello(w, r)
				return
			}
			n, _ := w.Write(make([]byte, large))
			sent <- n
		})
		p := c.pool(t, Options{})
		var stalled []net.Conn
		for range 6 {
			conn, err := p.DialContext(within(t), "shop", "a", 15000)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "GET /large HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			stalled = append(stalled, conn)
		}
		for range 10 {
			if got, err := get(within(t), p, "a", 15000, "/small"); got != "hello /small" {
				t.Fatalf("%q, %v", got, err)
			}
		}
		ctx := within(t)
		for range stalled {
			select {
			case n := <-sent:
				if n != large {
					t.Errorf("%d bytes sent", n)
				}
			case <-ctx.Done():
				t.Fatal("a body nobody reads was not taken")
			}
		}
		if b, err := io.ReadAll(stalled[5]); err != nil || len(b) < large {
			t.Errorf("read late: %d bytes, %v", len(b), err)
		}
		if n := c.count(way + " a.shop"); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestSlowReaderIsCutOff(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		done := make(chan struct{})
		c.serves(t, "15000", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/endless" {
				hello(w, r)
				return
			}
			defer close(done)
			for b := make([]byte, 64<<10); ; {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		})
		p := c.pool(t, Options{Buffer: 1 << 20})
		conn, err := p.DialContext(within(t), "shop", "a", 15000)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET /endless HTTP/1.1\r\nHost: pod\r\n\r\n")
		<-done // the pod's connection is closed although the client has read nothing
		b, err := io.ReadAll(conn)
		var slow *SlowReaderError
		if !errors.As(err, &slow) || len(b) == 0 || len(b) > 1<<20 {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		if got, err := get(within(t), p, "a", 15000, "/x"); got != "hello /x" || c.count(way+" a.shop") != 1 {
			t.Errorf("the session after it: %q, %v", got, err)
		}
	})
}

func TestCancelledDial(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		c.silent = "mute.shop"
		c.serves(t, "15000", hello)
		p := c.pool(t, Options{})
		ctx, cancel := context.WithCancelCause(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := p.DialContext(ctx, "shop", "mute", 15000)
			failed <- err
		}()
		for c.count(way+" mute.shop") == 0 {
			runtime.Gosched()
		}
		why := errors.New("enough")
		cancel(why)
		if err := <-failed; err != why {
			t.Errorf("%v", err)
		}
		if got, err := get(within(t), p, "a", 15000, "/x"); got != "hello /x" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestLostSessionIsDialledAgain(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		asked, hold := make(chan struct{}), make(chan struct{})
		c.serves(t, "15000", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/held" {
				close(asked)
				<-hold
			}
			hello(w, r)
		})
		defer close(hold)
		p := c.pool(t, Options{})
		failed := make(chan error, 1)
		go func() {
			_, err := get(within(t), p, "a", 15000, "/held")
			failed <- err
		}()
		<-asked
		c.kill("a.shop")
		if err := <-failed; !errors.Is(err, LostError{}) {
			t.Errorf("a request under way: %v", err)
		}
		if got, err := get(within(t), p, "a", 15000, "/x"); got != "hello /x" {
			t.Errorf("%q, %v", got, err)
		}
		if n := c.count(way + " a.shop"); n != 2 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestDropEndsAMuteSession(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		asked, hold := make(chan struct{}, 2), make(chan struct{})
		c.serves(t, "15000", func(w http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			<-hold
		})
		defer close(hold)
		p := c.pool(t, Options{})
		for range 2 {
			failed := make(chan error, 1)
			go func() {
				_, err := get(within(t), p, "a", 15000, "/")
				failed <- err
			}()
			<-asked
			p.Drop("shop", "a")
			if err := <-failed; !errors.Is(err, LostError{}) {
				t.Errorf("%v", err)
			}
		}
		if n := c.count(way + " a.shop"); n != 2 {
			t.Errorf("%d sessions", n)
		}
	})
}

// TestDefaultPatience checks that the default timeout of an upgrade is short,
// because a dead node has many pods, and each of them times out.
func TestDefaultPatience(t *testing.T) {
	if o := (Options{}).withDefaults(); o.UpgradeTimeout != 5*time.Second {
		t.Error(o.UpgradeTimeout)
	}
	if o := (Options{UpgradeTimeout: time.Minute}).withDefaults(); o.UpgradeTimeout != time.Minute {
		t.Error(o.UpgradeTimeout)
	}
}

func TestHungUpgrade(t *testing.T) {
	for _, way := range []string{"websocket", "spdy"} {
		for _, test := range []struct {
			name string
			wait time.Duration
			end  func(p *Pool, cancel func())
			want string
		}{
			{name: "ends in time", wait: 100 * time.Millisecond, want: "no connection to the pod within 100ms"},
			{name: "cancelled", end: func(_ *Pool, cancel func()) { cancel() }, want: "context canceled"},
			{name: "closed", end: func(p *Pool, _ func()) { p.Close() }, want: net.ErrClosed.Error()},
		} {
			t.Run(way+" "+test.name, func(t *testing.T) {
				c := newCluster(t)
				arrived := make(chan struct{}, 1)
				c.refuse = func(w http.ResponseWriter, r *http.Request, by string) bool {
					if by != way {
						return noWebSockets(w, r, by)
					}
					arrived <- struct{}{}
					<-c.ended
					return true
				}
				p := c.pool(t, Options{UpgradeTimeout: test.wait})
				ctx, cancel := context.WithCancel(within(t))
				defer cancel()
				if test.end != nil {
					go func() { <-arrived; test.end(p, cancel) }()
				}
				if _, err := p.DialContext(ctx, "shop", "a", 15000); err == nil || err.Error() != test.want {
					t.Errorf("%v", err)
				}
				p.mu.Lock()
				held := len(p.slots.held)
				p.mu.Unlock()
				if test.name == "cancelled" && held > 0 {
					t.Error("a place is held for nobody")
				}
				p.Close()
				for _, stack := range left(t) {
					t.Errorf("left after Close:\n%s", stack)
				}
			})
		}
	}
}
