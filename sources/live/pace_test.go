package live

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// onlyDeadline returns a Timeout with which only the deadlines of one duration ever
// pass. To save time, they pass after 300 ms.
func onlyDeadline(of time.Duration) Timeout {
	return func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
		if d != of {
			return context.WithCancel(ctx)
		}
		return context.WithTimeout(ctx, 300*time.Millisecond)
	}
}

// trickle begins a response and then sends one byte at a time, until the client
// closes the connection.
func trickle(c net.Conn) {
	c.Read(make([]byte, 4096))
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := io.WriteString(c, "1"); err != nil {
			return
		}
	}
}

// TestTricklingAnswersEnd checks a proxy that sends one byte at a time. All
// requests to it together must take no longer than one deadline, and another proxy
// must respond in the meantime.
func TestTricklingAnswersEnd(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.raw(t, "a.shop:15000", trickle)
	n.serve(t, "b.shop:15000", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") })
	noLeaks(t, func() {
		c := newCluster(t, api, n, func(o *ClusterOptions) { o.Timeout = onlyDeadline(paceWindow) })
		if _, err := c.List(t.Context(), "pods"); err != nil {
			t.Fatal(err)
		}
		var work sync.WaitGroup
		for range 4 {
			work.Go(func() {
				_, err := fetch(c, "certs")
				wantErrorWith(t, err, "the answer is too slow: fewer than 40 KiB in 40s, ")
			})
		}
		if _, err := c.Fetch(t.Context(), "b.shop", "certs", mesh.Hint{}); err != nil {
			t.Error(err)
		}
		work.Wait()
		_, err := fetch(c, "stats") // this request comes later than the others
		wantErrorWith(t, err, "the answer is too slow")
		if len(n.dials) != 2 {
			t.Errorf("dialled %q: a slow proxy is asked once", n.dials)
		}
		c.Forget()
		if _, err = fetch(c, "certs"); len(n.dials) != 3 {
			t.Errorf("after Forget: dialled %q, %v", n.dials, err)
		}
		c.Close()
		api.Close()
	})
}

// TestTricklingProgramsEnd checks the same as TestTricklingAnswersEnd for a
// program that runs by exec and prints one byte at a time.
func TestTricklingProgramsEnd(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.noDial["shop"] = true
	n.exec = func(_ string, _ []string, out io.Writer) error {
		for range 1000 {
			if _, err := io.WriteString(out, "1"); err != nil {
				return err
			}
			time.Sleep(5 * time.Millisecond)
		}
		return nil
	}
	c := newCluster(t, api, n, func(o *ClusterOptions) { o.Timeout = onlyDeadline(paceWindow) })
	_, err := fetch(c, "stats")
	wantErrorWith(t, err, "too slow")
}

// TestWholeAnswersHaveADeadline checks that an endless response ends at a
// deadline, even if it arrives at full speed.
func TestWholeAnswersHaveADeadline(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}))
	defer server.Close()
	d, err := NewDirect(DirectOptions{Pilots: []string{server.URL}, TempDir: t.TempDir(), Timeout: onlyDeadline(maxWhole)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	pilots, _ := d.Pilots(t.Context())
	_, err = d.Pilot(t.Context(), pilots[0], "syncz")
	wantErrorWith(t, err, "no whole answer in 10m0s")
}

func wantErrorWith(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%v, which is not about %q", err, text)
	}
}
