package forward

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	gwebsocket "github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// A cluster is a fake API server with kubelets. It supports only port
// forwarding and exec. Its SPDY frames, upgrades and TCP connections are real.
type cluster struct {
	*httptest.Server
	ports map[string]string // the address to which each pod port is forwarded, by port

	// refuse may answer a request instead of upgrading it, and reports whether
	// it did. way is "websocket" or "spdy".
	refuse func(w http.ResponseWriter, r *http.Request, way string) bool

	// silent is the name of a pod whose streams are never acknowledged.
	silent string

	// command simulates a command that runs in a pod.
	command func(argv []string, stdout, stderr io.Writer) *metav1.Status

	mu       sync.Mutex
	upgrades map[string]int      // the number of sessions so far, by keys such as "websocket pod.namespace"
	resumed  int                 // the number of sessions that resumed an earlier TLS session
	tried    []string            // all requests, in the form "websocket portforward reviews-1.shop"
	sessions map[net.Conn]string // the pods of the open sessions, by the session's connection
	ended    chan struct{}
	work     sync.WaitGroup
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{ports: map[string]string{}, upgrades: map[string]int{}, sessions: map[net.Conn]string{}, ended: make(chan struct{})}
	c.Server = httptest.NewUnstartedServer(c)
	c.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, carrier{}, conn)
	}
	c.StartTLS()
	t.Cleanup(func() {
		close(c.ended)
		c.kill("")
		c.CloseClientConnections()
		c.Close()
		c.work.Wait()
	})
	return c
}

type carrier struct{}

func (c *cluster) config() *rest.Config {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate().Raw})
	return &rest.Config{Host: c.URL, BearerToken: "good", TLSClientConfig: rest.TLSClientConfig{CAData: ca}}
}

// pool returns a Pool that is closed at the end of the test, before the
// cluster.
func (c *cluster) pool(t *testing.T, o Options) *Pool {
	if o.Timeout == nil {
		o.Timeout = context.WithTimeout
	}
	p, err := New(c.config(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // the path is /api/v1/namespaces/NAMESPACE/pods/POD/SUBRESOURCE
	if len(part) != 7 {
		http.NotFound(w, r)
		return
	}
	pod, what, way := part[5]+"."+part[3], part[6], "spdy"
	if gwebsocket.IsWebSocketUpgrade(r) {
		way = "websocket"
	}
	c.mu.Lock()
	c.tried = append(c.tried, way+" "+what+" "+pod)
	refuse := c.refuse
	c.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer good" {
		status(w, http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "Unauthorized")
		return
	}
	if refuse != nil && refuse(w, r, way) {
		return
	}
	switch way + " " + what {
	case "websocket portforward":
		c.tunnel(w, r, pod)
	case "spdy portforward":
		c.spdy(w, r, pod, c.serve)
	case "websocket exec":
		c.channels(w, r)
	case "spdy exec":
		c.spdy(w, r, pod, c.serveCommand(r.URL.Query()["command"]))
	}
}

func status(w http.ResponseWriter, code int, reason metav1.StatusReason, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: text})
}

func (c *cluster) tunnel(w http.ResponseWriter, r *http.Request, pod string) {
	up := gwebsocket.Upgrader{Subprotocols: []string{tunnelPrefix + portforward.PortForwardProtocolV1Name}}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	streams := make(chan httpstream.Stream)
	conn, err := spdy.NewServerConnection(portforward.NewTunnelingConnection("server", ws), c.accept(pod, streams))
	if err != nil {
		return
	}
	defer c.opened("websocket", pod, r)()
	c.serve(conn, streams)
}

func (c *cluster) spdy(w http.ResponseWriter, r *http.Request, pod string, serve func(httpstream.Connection, chan httpstream.Stream)) {
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name, "v5.channel.k8s.io", "v4.channel.k8s.io"}); err != nil {
		return
	}
	streams := make(chan httpstream.Stream)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, c.accept(pod, streams))
	if conn == nil {
		return
	}
	defer c.opened("spdy", pod, r)()
	serve(conn, streams)
}

// opened counts a session and lists it as open until ended is called.
func (c *cluster) opened(way, pod string, r *http.Request) (ended func()) {
	conn := r.Context().Value(carrier{}).(net.Conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.upgrades[way+" "+pod]++
	if r.TLS.DidResume {
		c.resumed++
	}
	c.sessions[conn] = pod
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.sessions, conn)
	}
}

func (c *cluster) accept(pod string, streams chan httpstream.Stream) httpstream.NewStreamHandler {
	return func(s httpstream.Stream, _ <-chan struct{}) error {
		if pod == c.silent {
			<-c.ended
			return errors.New("too late")
		}
		switch port, kind := s.Headers().Get(corev1.PortHeader), s.Headers().Get(corev1.StreamType); {
		case port == "0":
			return errors.New("port must be > 0") // reset the stream, as a kubelet does
		case port == "1" && kind == corev1.StreamTypeData:
			return errors.New("reset at once, the other stream says why")
		case port == "1":
			go func() {
				io.WriteString(s, "error forwarding port 1 to pod 3f2a, uid : no network namespace")
				s.Reset()
			}()
			return nil
		}
		go func() {
			select {
			case streams <- s:
			case <-c.ended:
			}
		}()
		return nil
	}
}

// serve pairs the streams of a session and forwards each pair, as a container
// runtime does.
func (c *cluster) serve(conn httpstream.Connection, streams chan httpstream.Stream) {
	defer conn.Close()
	pairs := map[string]map[string]httpstream.Stream{}
	for {
		select {
		case <-conn.CloseChan():
			return
		case s := <-streams:
			id := s.Headers().Get(corev1.PortForwardRequestIDHeader)
			if pairs[id] == nil {
				pairs[id] = map[string]httpstream.Stream{}
			}
			pairs[id][s.Headers().Get(corev1.StreamType)] = s
			if len(pairs[id]) == 2 {
				data, errs := pairs[id][corev1.StreamTypeData], pairs[id][corev1.StreamTypeError]
				delete(pairs, id)
				c.work.Go(func() { c.forward(conn, data, errs) })
			}
		}
	}
}

func (c *cluster) forward(conn httpstream.Connection, data, errs httpstream.Stream) {
	defer conn.RemoveStreams(data, errs)
	defer data.Close()
	defer errs.Close()
	port := data.Headers().Get(corev1.PortHeader)
	err := c.copyPort(port, data)
	if err != nil {
		fmt.Fprintf(errs, "error forwarding port %s to pod 3f2a, uid : %v", port, err)
		data.Reset()
		errs.Reset()
	}
}

func (c *cluster) copyPort(port string, data httpstream.Stream) error {
	c.mu.Lock()
	address, ok := c.ports[port]
	c.mu.Unlock()
	if !ok {
		return fmt.Errorf("forward not found for port %s", port)
	}
	target, err := net.Dial("tcp", address)
	if err != nil {
		return fmt.Errorf("failed to execute portforward in network namespace \"host\": failed to connect to localhost:%s inside namespace \"3f2a\", IPv4: %w", port, err)
	}
	defer target.Close()
	up := make(chan struct{})
	go func() {
		defer close(up)
		io.Copy(target, data)
		target.(*net.TCPConn).CloseWrite()
	}()
	down := make(chan error, 1)
	go func() {
		_, err := io.Copy(data, target)
		down <- err
	}()
	select {
	case <-up:
		return nil
	case err := <-down:
		return err
	}
}

// kill closes the connections of the sessions to a pod, or of all sessions if
// pod is empty. The client gets no frame that announces the end.
func (c *cluster) kill(pod string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn, name := range c.sessions {
		if pod == "" || name == pod {
			conn.Close()
		}
	}
}

func (c *cluster) count(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.upgrades[key]
}

// serves starts an HTTP server, to which the given port of every pod is
// forwarded.
func (c *cluster) serves(t *testing.T, port string, h http.HandlerFunc) {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c.leads(port, strings.TrimPrefix(s.URL, "http://"))
}

func (c *cluster) leads(port, address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ports[port] = address
}

// within returns a context for operations that should finish quickly. Its
// timeout is long, because tests may run on a busy machine.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// get sends a GET request over a new connection to a pod.
func get(ctx context.Context, p *Pool, pod string, port int, path string) (string, error) {
	tr := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return p.DialContext(ctx, "shop", pod, port)
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://pod"+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// settled waits until no more goroutines run than before the test.
func settled(t *testing.T, before int) {
	t.Helper()
	tick, ctx := time.NewTicker(time.Millisecond), within(t)
	defer tick.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-tick.C:
		case <-ctx.Done():
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// left returns the stacks of this package's goroutines that don't end. It
// ignores the goroutines of the tests, and goroutines in CreateStream, which
// only end with a timeout of the library.
func left(t *testing.T) (all []string) {
	tick, ctx := time.NewTicker(time.Millisecond), within(t)
	defer tick.Stop()
	for stacks := make([]byte, 4<<20); ; {
		all = nil
		for _, s := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(s, "sources/forward.") && !strings.Contains(s, "_test.go") && !strings.Contains(s, ".CreateStream(") {
				all = append(all, s)
			}
		}
		if len(all) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return all
		}
	}
}
