package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

func fetch(c transport.Source, request string) (*transport.Body, error) {
	return c.Fetch(context.Background(), "a.shop", request, mesh.Hint{})
}

func recordedBody(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../envoy/testdata/reviews-v2/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestFetch checks that bodies are returned as Envoy sends them, and that only
// one connection is open at a time.
func TestFetch(t *testing.T) {
	bodies := map[string]string{
		"GET /config_dump?include_eds": recordedBody(t, "config_dump.json"),
		"GET /clusters?format=json":    recordedBody(t, "clusters.json"),
		"GET /server_info":             recordedBody(t, "server_info.json"),
		"POST /logging":                recordedBody(t, "logging.txt"),
		"GET /stats?format=json":       recordedBody(t, "stats.json"),
		"GET /ready":                   "LIVE\n",
	}
	n, api := newNetwork(), newAPIServer(t)
	n.serve(t, "a.shop:15000", func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies[r.Method+" "+r.URL.RequestURI()]
		if !ok || r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("asked %s %s %v", r.Method, r.URL.RequestURI(), r.Header)
		}
		for len(body) > 0 { // send the body in chunks, as Envoy does
			m := min(len(body), 16<<10)
			io.WriteString(w, body[:m])
			w.(http.Flusher).Flush()
			body = body[m:]
		}
	})
	c := newCluster(t, api, n, nil)
	total := int64(0)
	for request, key := range map[string]string{
		"config_dump": "GET /config_dump?include_eds", "clusters": "GET /clusters?format=json", "server_info": "GET /server_info",
		"logging": "POST /logging", "stats": "GET /stats?format=json", "ready": "GET /ready",
	} {
		body, err := fetch(c, request)
		if err != nil {
			t.Errorf("%s: %v", request, err)
			continue
		}
		if readBody(t, body) != bodies[key] || body.Name != request {
			t.Errorf("%s: %d bytes, want %d", request, body.Size(), len(bodies[key]))
		}
		total += body.Size()
	}
	s := c.Stats()
	if s.Asked != 6 || s.Done != 6 || s.Bytes < total || s.Bytes > total+10_000 { // Bytes counts the bodies and the list of pods
		t.Errorf("%+v, want %d bytes", s, total)
	}
	if n.open != 0 || len(n.released) != 6 || n.released[0] != "a.shop" {
		t.Errorf("%d connections are open, released %q", n.open, n.released)
	}
	if got := api.times("/api/v1/pods"); got != 1 {
		t.Errorf("pods were listed %d times", got)
	}
}

// TestAdminPorts checks that the admin port is the one in the pod's annotation,
// unless an option sets it. ztunnel's port is fixed.
func TestAdminPorts(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	annotated := func(text string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Annotations["proxy.istio.io/config"] = text }
	}
	api.pods = []corev1.Pod{
		aPod("a.x", nil), aPod("b.x", annotated("concurrency: 2\nproxyAdminPort: 15999\n")), aPod("c.x", annotated(`{"proxyAdminPort": 15998}`)),
		aPod("d.x", annotated("proxyAdminPort: [")), aPod("e.x", annotated("proxyAdminPort: 99999")),
		aPod("ztunnel-f.istio-system", func(p *corev1.Pod) {
			p.Labels["app"] = "ztunnel"
			annotated("proxyAdminPort: 1")(p)
		}),
	}
	for _, try := range []struct {
		given int
		want  string
	}{
		{0, "[a.x:15000 b.x:15999 c.x:15998 d.x:15000 e.x:15000 ztunnel-f.istio-system:15000 vm.x:15000]"},
		{16001, "[a.x:16001 b.x:16001 c.x:16001 d.x:16001 e.x:16001 ztunnel-f.istio-system:15000 vm.x:16001]"},
	} {
		n.dials = nil
		c := newCluster(t, api, n, func(o *ClusterOptions) { o.AdminPort = try.given })
		for _, id := range []string{"a.x", "b.x", "c.x", "d.x", "e.x", "ztunnel-f.istio-system", "vm.x"} {
			_, err := c.Fetch(t.Context(), id, "config_dump", mesh.Hint{})
			wantError(t, err, "no such pod")
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%T", err)
			}
		}
		if got := fmt.Sprint(n.dials); got != try.want {
			t.Errorf("dialled %s, want %s", got, try.want)
		}
	}
	c := newCluster(t, api, n, nil)
	for _, id := range []string{"", "a", ".", "a.", ".x"} {
		if _, err := c.Fetch(t.Context(), id, "ready", mesh.Hint{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestFetchWithoutPods checks that the default port is used if pods can't be
// listed.
func TestFetchWithoutPods(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	api.forbid["/api/v1/pods"], api.forbid["/api/v1/namespaces/istio-system/pods"] = true, true
	n.serve(t, "a.shop:15000", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "LIVE\n") })
	c := newCluster(t, api, n, nil)
	for range 3 {
		if _, err := fetch(c, "ready"); err != nil {
			t.Error(err)
		}
	}
	if n := api.times("/api/v1/pods"); n != 1 {
		t.Errorf("pods were asked for %d times", n)
	}
}

func TestPilotPorts(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	api.pods = []corev1.Pod{
		aPod("i.istio-system", func(p *corev1.Pod) { p.Labels["app"] = "istiod" }),
		aPod("j.istio-system", func(p *corev1.Pod) { p.Labels["app"] = "istiod"; p.Annotations["prometheus.io/port"] = "16014" }),
	}
	for name, port := range map[string]string{"i": "15014", "j": "16014"} {
		n.serve(t, name+".istio-system:"+port, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name+" "+r.URL.RequestURI()) })
	}
	c := newCluster(t, api, n, nil)
	for question, want := range map[[2]string]string{
		{"i.istio-system", "syncz"}:                         "i /debug/syncz",
		{"j.istio-system", "version"}:                       "j /version",
		{"j.istio-system", "config_dump?proxyID=a.b&types"}: "j /debug/config_dump?proxyID=a.b&types",
	} {
		body, err := c.Pilot(t.Context(), question[0], question[1])
		if err != nil {
			t.Error(err)
		} else if got := readBody(t, body); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A busy counts the requests that a server handles at the same time.
type busy struct {
	now, most atomic.Int32
	arrived   chan struct{}
	leave     chan struct{}
}

func (b *busy) enter() {
	now := b.now.Add(1)
	for {
		most := b.most.Load()
		if now <= most || b.most.CompareAndSwap(most, now) {
			break
		}
	}
	if b.arrived != nil {
		b.arrived <- struct{}{}
		<-b.leave
	}
	b.now.Add(-1)
}

// TestEnvoyGetsOneRequestAtATime checks that an Envoy gets one request at a time,
// and that waiting requests share one connection. Different Envoys get requests at
// the same time.
func TestEnvoyGetsOneRequestAtATime(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	ids := []string{"a.shop", "b.shop"}
	var each [2]busy
	var last atomic.Int32
	arrived, proceed := make(chan struct{}, 40), make(chan struct{})
	for i, id := range ids {
		n.serve(t, id+":15000", func(w http.ResponseWriter, r *http.Request) {
			if r.Close {
				last.Add(1)
			}
			arrived <- struct{}{}
			<-proceed
			each[i].enter()
			io.WriteString(w, "LIVE\n")
		})
	}
	c := newCluster(t, api, n, nil)
	var work sync.WaitGroup
	for range 20 {
		for _, id := range ids {
			work.Go(func() {
				if _, err := c.Fetch(t.Context(), id, "ready", mesh.Hint{}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	for _, id := range ids {
		queued(t, c, id, 20)
		<-arrived // both Envoys have received a request, so neither waits for the other
	}
	if len(arrived) != 0 {
		t.Errorf("%d requests more", len(arrived))
	}
	close(proceed)
	work.Wait()
	if a, b := each[0].most.Load(), each[1].most.Load(); a != 1 || b != 1 {
		t.Errorf("%d and %d requests at a time", a, b)
	}
	// The first request may be alone in its queue, and then its connection is
	// closed. The last request is always alone.
	if len(n.dials) > 4 || last.Load() < 2 || last.Load() > 4 {
		t.Errorf("%d connections for 40 requests; %d said that they were the last", len(n.dials), last.Load())
	}
	if n.open != 0 {
		t.Errorf("%d connections are open", n.open)
	}
}

// TestIstiodGetsFewRequestsAtATime checks that an istiod gets only a few requests
// at the same time.
func TestIstiodGetsFewRequestsAtATime(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	b := &busy{arrived: make(chan struct{}), leave: make(chan struct{})}
	n.serve(t, "i.istio-system:15014", func(w http.ResponseWriter, _ *http.Request) {
		b.enter()
		io.WriteString(w, "[]")
	})
	all := make(chan struct{})
	// connect only after all requests wait, because the connection of a lone
	// request is closed afterwards
	n.beforeDial = func(string) { <-all }
	c := newCluster(t, api, n, nil)
	var work sync.WaitGroup
	for range 10 {
		work.Go(func() {
			if _, err := c.Pilot(t.Context(), "i.istio-system", "syncz"); err != nil {
				t.Error(err)
			}
		})
	}
	queued(t, c, "i.istio-system", 10)
	close(all)
	for range maxParallel {
		<-b.arrived
	}
	for range 10 - maxParallel {
		b.leave <- struct{}{}
		<-b.arrived
	}
	for range maxParallel {
		b.leave <- struct{}{}
	}
	work.Wait()
	if b.most.Load() != maxParallel || len(n.dials) != maxParallel {
		t.Errorf("%d at a time over %d connections", b.most.Load(), len(n.dials))
	}
}

// TestClosedIdleConnectionIsReplaced checks that if the server has closed an
// idle connection, the client opens another one instead of returning an error.
func TestClosedIdleConnectionIsReplaced(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.raw(t, "a.shop:15000", func(c net.Conn) {
		b := make([]byte, 4096)
		if _, err := c.Read(b); err == nil {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nLIVE\n")
		}
	})
	c := newCluster(t, api, n, nil)
	var work sync.WaitGroup
	for range 10 {
		work.Go(func() {
			if body, err := fetch(c, "ready"); err != nil || body.Size() != 5 {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if len(n.dials) != 10 {
		t.Errorf("%d connections", len(n.dials))
	}
}

// TestErrorAnswersKeepTheirStatus checks that a response with an error status is
// returned as an error with the status and the text, so that the caller may try
// another request.
func TestErrorAnswersKeepTheirStatus(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	for code, text := range map[int]string{
		400: "FieldMask paths: \"x\" could not be successfully applied to any configs.", 403: "", 404: "invalid path. admin commands are:\n  /: Admin home page",
		431: "", 500: "\x1b[2Jboom", 302: "", 503: "PRE_INITIALIZING\n", 204: "",
	} {
		n.serve(t, "a.shop:15000", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/quitquitquit" {
				t.Error("a redirect was followed")
			}
			if code == 302 {
				w.Header().Set("Location", "/quitquitquit")
			}
			w.WriteHeader(code)
			io.WriteString(w, text)
		})
		_, err := fetch(newCluster(t, api, n, nil), "server_info")
		var status interface {
			error
			Status() (int, string)
		}
		if !errors.As(err, &status) {
			t.Errorf("%d: %T %v", code, err, err)
			continue
		}
		got, said := status.Status()
		first, _, _ := strings.Cut(strings.ReplaceAll(text, "\x1b", ""), "\n")
		want := fmt.Sprintf("%d %s", code, http.StatusText(code))
		if first != "" {
			want += ": " + first
		}
		if got != code || said != first || err.Error() != want {
			t.Errorf("%d %q %q, want %q", got, said, err, want)
		}
	}
}

// TestCutAnswersAreErrors checks that if a response is truncated, Fetch returns
// an error, never a shorter body.
func TestCutAnswersAreErrors(t *testing.T) {
	api := newAPIServer(t)
	for answer, want := range map[string]string{
		"":                         "the connection was closed without an answer",
		"HTTP/1.1 200 OK\r\nConte": "the connection was closed without an answer",
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1,2,":                  "the connection was closed after 5 bytes of the answer",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n": "the connection was closed after 5 bytes of the answer",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,":       "the connection was closed after 3 bytes of the answer",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n":               "the connection was closed after 0 bytes of the answer",
	} {
		n := newNetwork()
		n.raw(t, "a.shop:15000", func(c net.Conn) {
			b := make([]byte, 4096)
			c.Read(b)
			io.WriteString(c, answer)
		})
		c := newCluster(t, api, n, nil)
		_, err := fetch(c, "certs")
		wantError(t, err, want)
		if n.open != 0 || len(n.released) != 1 || len(n.dropped) != 0 {
			t.Errorf("%d connections are open, released %q, dropped %q", n.open, n.released, n.dropped)
		}
	}
}

func TestNonsense(t *testing.T) {
	api := newAPIServer(t)
	endless := func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\n")
		for {
			if _, err := fmt.Fprintf(c, "X-A: %s\r\n", strings.Repeat("a", 1000)); err != nil {
				return
			}
		}
	}
	long := func(c net.Conn) {
		for {
			if _, err := io.WriteString(c, "HTTP/1.1 200 OK"); err != nil {
				return
			}
		}
	}
	other := func(c net.Conn) {
		b := make([]byte, 4096)
		c.Read(b)
		io.WriteString(c, "SSH-2.0-OpenSSH_9.6\r\n")
	}
	for want, answer := range map[string]func(net.Conn){
		"an answer with headers of more than 1 MiB":     endless,
		`malformed HTTP response "SSH-2.0-OpenSSH_9.6"`: other,
	} {
		n := newNetwork()
		n.raw(t, "a.shop:15000", answer)
		_, err := fetch(newCluster(t, api, n, nil), "certs")
		wantError(t, err, want)
	}
	n := newNetwork()
	n.raw(t, "a.shop:15000", long)
	if _, err := fetch(newCluster(t, api, n, nil), "certs"); err == nil {
		t.Error("a header without end was taken")
	}
}

// TestRefusedPortIsNamed checks that if no process listens on a port, the error
// contains the port.
func TestRefusedPortIsNamed(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	s := n.serve(t, "a.shop:15000", nil)
	s.Close()
	_, err := fetch(newCluster(t, api, n, nil), "certs")
	wantError(t, err, "port 15000 refused")
}

// TestSilent uses a server that accepts connections but doesn't respond. All
// waiting requests together must take no longer than one deadline, and the
// connection to the pod must be dropped.
func TestSilent(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.raw(t, "a.shop:15000", silent)
	noLeaks(t, func() {
		timeout, end := manualTimeout()
		c := newCluster(t, api, n, func(o *ClusterOptions) { o.Timeout = timeout })
		if _, err := c.List(t.Context(), "pods"); err != nil {
			t.Fatal(err)
		}
		var work sync.WaitGroup
		for range 5 {
			work.Go(func() {
				_, err := fetch(c, "certs")
				wantError(t, err, "no answer in 5s")
				var late interface{ Timeout() bool }
				if !errors.As(err, &late) || !late.Timeout() {
					t.Errorf("%T", err)
				}
			})
		}
		queued(t, c, "a.shop", 5)
		eventually(t, "one has connected", func() bool { return locked(n, func() bool { return n.open == 1 }) })
		end()
		work.Wait()
		if len(n.dials) != 1 || len(n.dropped) != 1 || n.dropped[0] != "a.shop" || n.open != 0 {
			t.Errorf("dialled %q, dropped %q, %d connections are open", n.dials, n.dropped, n.open)
		}
		c.Close()
		api.Close()
	})
}

// TestDeadlines checks the deadlines for the first byte, for later pauses and for
// the whole request.
func TestDeadlines(t *testing.T) {
	api := newAPIServer(t)
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
	for _, try := range []struct {
		answer         string
		first, request time.Duration
		want           string
	}{
		{"", 0, 0, "no answer in 5s"},
		{"", time.Second, 0, "no answer in 1s"},
		{"", 0, 2 * time.Second, "no answer in 2s"},
		{"HTTP/1.1 2", 0, 0, "the answer stopped after 0 bytes: no more in 5s"},
		{head, 0, 0, "the answer stopped after 0 bytes: no more in 30s"},
		{head + "1234", 0, 0, "the answer stopped after 4 bytes: no more in 30s"},
		{head + "1234", 0, 2 * time.Second, "no whole answer in 2s: 4 bytes came"},
	} {
		n := newNetwork()
		n.raw(t, "a.shop:15000", func(c net.Conn) {
			io.WriteString(c, try.answer)
			silent(c)
		})
		c := newCluster(t, api, n, func(o *ClusterOptions) {
			o.Timeout, o.FirstByte, o.RequestTimeout = fastTimeout, try.first, try.request
		})
		_, err := fetch(c, "certs")
		wantError(t, err, try.want)
		if dropped := len(n.dropped) > 0; dropped != (try.answer == "") || n.open != 0 {
			t.Errorf("%q: dropped %q, %d open", try.answer, n.dropped, n.open)
		}
	}
}

// TestHeavyBeginnings checks that the deadline for the first byte is longer if
// Envoy or istiod computes the whole response before it sends anything.
func TestHeavyBeginnings(t *testing.T) {
	for request, want := range map[string]time.Duration{
		"config_dump": wholeFirstByte, "config_dump?": wholeFirstByte, "config_dump?include_eds": wholeFirstByte,
		"config_dump?mask=dynamic_active_clusters": defaultFirstByte, "config_dump?mask=x&name_regex=y": defaultFirstByte,
		"config_dump?include_eds&mask=x": wholeFirstByte, "clusters": defaultFirstByte, "certs": defaultFirstByte,
	} {
		q, err := askAdmin(request, false)
		if err != nil || newLimits(0, 0, nil).beginning(q) != want {
			t.Errorf("%s: not %s, %v", request, want, err)
		}
		if newLimits(0, time.Second, nil).beginning(q) != time.Second || newLimits(time.Second, 0, nil).beginning(q) != 0 {
			t.Errorf("%s: limits that are given don't hold", request)
		}
	}
	for endpoint, want := range map[string]time.Duration{
		"config_dump?proxyID=a.b": wholeFirstByte, "edsz?proxyID=a.b": wholeFirstByte, "syncz": defaultFirstByte,
	} {
		q, err := askDebug(endpoint)
		if err != nil || newLimits(0, 0, nil).beginning(q) != want {
			t.Errorf("%s: not %s, %v", endpoint, want, err)
		}
	}
	api, n := newAPIServer(t), newNetwork()
	n.raw(t, "a.shop:15000", silent)
	n.noDial["exec"] = true
	c := newCluster(t, api, n, func(o *ClusterOptions) { o.Timeout = fastTimeout })
	_, err := fetch(c, "config_dump")
	wantError(t, err, "no answer in 15s")
	_, err = c.Fetch(t.Context(), "a.exec", "config_dump", mesh.Hint{})
	wantError(t, err, "no answer in 15s")
}

// TestSlowBodyHasTime checks that a slow body has no deadline as long as bytes
// arrive. The time that a request waits in the queue must not count towards a
// deadline.
func TestSlowBodyHasTime(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.raw(t, "a.shop:15000", func(c net.Conn) {
		b := make([]byte, 4096)
		c.Read(b)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 163840\r\n\r\n")
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range 40 {
			<-tick.C
			c.Write(b)
		}
	})
	// Each deadline is 1 s in this test. One body takes 400 ms, and three bodies
	// take 1,200 ms.
	second := func(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, time.Second)
	}
	c := newCluster(t, api, n, func(o *ClusterOptions) { o.FirstByte, o.Timeout = maxSilence, second })
	var work sync.WaitGroup
	for range 3 {
		work.Go(func() {
			if body, err := fetch(c, "stats?x"); err != nil || body.Size() != 163840 {
				t.Error(err)
			}
		})
	}
	work.Wait()
}

// TestCancelLeavesNothingBehind checks that a canceled request leaves no goroutine
// and no connection.
func TestCancelLeavesNothingBehind(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	sent, gone := make(chan struct{}, 1), make(chan struct{})
	n.raw(t, "a.shop:15000", func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"+strings.Repeat("x", 100_000))
		sent <- struct{}{}
		silent(c)
		close(gone)
	})
	noLeaks(t, func() {
		c := newCluster(t, api, n, func(o *ClusterOptions) { o.Timeout = nil })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		for range 2 { // wait until one of the two requests is in progress and the other one waits
			go func() {
				_, err := c.Fetch(ctx, "a.shop", "stats", mesh.Hint{})
				ended <- err
			}()
		}
		<-sent
		eventually(t, "bytes came", func() bool { return c.Stats().Bytes >= 100_000 })
		cancel()
		for range 2 {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		<-gone
		if s := c.Stats(); n.open != 0 || s.Asked != 2 || s.Done != 2 || len(n.dropped) != 0 {
			t.Errorf("%d connections are open, %+v, dropped %q", n.open, s, n.dropped)
		}
		c.Close()
		api.Close()
	})
}

// TestForbiddenRequestsAreNeverSent checks that requests that aren't allowed are
// refused before anything is sent.
func TestForbiddenRequestsAreNeverSent(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	c := newCluster(t, api, n, nil)
	if _, err := fetch(c, "quitquitquit"); err == nil || err.Error() != `"quitquitquit" is not asked for` {
		t.Error(err)
	}
	if _, err := c.Pilot(t.Context(), "i.istio-system", "adsz?push=true"); err == nil {
		t.Error("a push was asked for")
	}
	if len(n.dials) > 0 || len(n.execs) > 0 {
		t.Errorf("dialled %q, ran %q", n.dials, n.execs)
	}
}
