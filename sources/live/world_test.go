package live

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

const kubernetes = "../testdata/stale/kubernetes/"

// fastTimeout is a Timeout that makes deadlines up to 100 times shorter, but no
// shorter than 150 ms.
func fastTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, max(d/100, 150*time.Millisecond))
}

// manualTimeout returns a Timeout whose contexts end only when the function end is
// called.
func manualTimeout() (timeout Timeout, end func()) {
	over, end := context.WithCancel(context.Background())
	return func(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
		inner, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(over, cancel)
		return inner, func() {
			stop()
			cancel()
		}
	}, end
}

// queued waits until n requests to a pod are in progress or in the queue.
func queued(t *testing.T, c *Cluster, id string, n int) {
	t.Helper()
	eventually(t, "all requests wait", func() bool {
		l := c.queue(id)
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.users == n
	})
}

// An apiServer is a test server with some pods and other lists. It encodes pods as
// a real API server does.
type apiServer struct {
	*httptest.Server
	mu      sync.Mutex
	pods    []corev1.Pod
	lists   map[string]string // the bodies of the responses, by path
	answers map[string]func(http.ResponseWriter, *http.Request) bool
	forbid  map[string]bool // the paths to which the API server refuses requests
	asked   []string        // the received requests in the form "path?query"
	accepts []string
}

func newAPIServer(t *testing.T) *apiServer {
	s := &apiServer{lists: map[string]string{}, forbid: map[string]bool{}, answers: map[string]func(http.ResponseWriter, *http.Request) bool{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.RequestURI())
	s.accepts = append(s.accepts, r.Header.Get("Accept")+" "+r.Header.Get("Accept-Encoding"))
	answer, body, forbidden := s.answers[r.URL.Path], s.lists[r.URL.Path], s.forbid[r.URL.Path]
	s.mu.Unlock()
	namespace, ofOne := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/pods"), "/api/v1/namespaces/")
	if !ofOne {
		namespace = ""
	}
	switch {
	case answer != nil && answer(w, r):
	case forbidden:
		where := "at the cluster scope"
		if namespace != "" {
			where = `in the namespace "` + namespace + `"`
		}
		resource := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		s.refuse(w, r, http.StatusForbidden, metav1.StatusReasonForbidden,
			fmt.Sprintf(`%s is forbidden: User "jo" cannot list resource "%s" in API group "" %s`, resource, resource, where))
	case strings.HasSuffix(r.URL.Path, "/pods"):
		s.list(w, r, namespace)
	case body != "":
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	default:
		http.NotFound(w, r)
	}
}

// refuse sends an error as a Status, in the encoding that the client has
// requested.
func (s *apiServer) refuse(w http.ResponseWriter, r *http.Request, code int, reason metav1.StatusReason, message string) {
	status := metav1.Status{Status: "Failure", Reason: reason, Message: message, Code: int32(code)}
	var b []byte
	if r.Header.Get("Accept") == asProtobuf {
		raw, _ := status.Marshal()
		b = enveloped("v1", "Status", raw)
	} else {
		status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
		b, _ = json.Marshal(status)
	}
	w.WriteHeader(code)
	w.Write(b)
}

func (s *apiServer) list(w http.ResponseWriter, r *http.Request, namespace string) {
	all := corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}}
	for _, p := range s.pods {
		if (namespace == "" || p.Namespace == namespace) && selected(p, r.URL.Query().Get("labelSelector")) {
			all.Items = append(all.Items, p)
		}
	}
	raw, err := all.Marshal()
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", asProtobuf)
	w.Write(enveloped("v1", "PodList", raw))
}

func selected(p corev1.Pod, selector string) bool {
	for part := range strings.SplitSeq(selector, ",") {
		if k, v, ok := strings.Cut(part, "="); ok && p.Labels[k] != v {
			return false
		}
	}
	return true
}

func enveloped(version, kind string, raw []byte) []byte {
	u := apiruntime.Unknown{TypeMeta: apiruntime.TypeMeta{APIVersion: version, Kind: kind}, Raw: raw, ContentType: "ignored"}
	b, err := u.Marshal()
	if err != nil {
		panic(err)
	}
	return append([]byte("k8s\x00"), b...)
}

// times returns the number of requests for a path.
func (s *apiServer) times(path string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if p, _, _ := strings.Cut(a, "?"); p == path {
			n++
		}
	}
	return n
}

// A network simulates the ports of pods: it connects to test servers on
// loopback instead.
type network struct {
	mu         sync.Mutex
	to         map[string]string // the address of the test server for each "pod.namespace:15000"
	noDial     map[string]bool   // the namespaces in which connections are forbidden
	noExec     map[string]bool
	exec       func(container string, command []string, out io.Writer) error
	dials      []string // the opened connections in the form "pod.namespace:15000"
	execs      []string // the executed commands in the form "pod.namespace container command…"
	released   []string
	dropped    []string
	open       int // the number of open connections
	closed     bool
	paused     []string // the calls of Pause
	busy       bool     // if true, Pause returns false
	beforeDial func(name string)
}

func newNetwork() *network {
	return &network{to: map[string]string{}, noDial: map[string]bool{}, noExec: map[string]bool{}}
}

func (n *network) DialContext(ctx context.Context, namespace, pod string, port int) (net.Conn, error) {
	name := fmt.Sprintf("%s.%s:%d", pod, namespace, port)
	n.mu.Lock()
	n.dials = append(n.dials, name)
	to, no, before := n.to[name], n.noDial[namespace], n.beforeDial
	n.mu.Unlock()
	if before != nil {
		before(name)
	}
	if no {
		return nil, apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, pod, fmt.Errorf(`User "jo" cannot create resource "pods/portforward"`))
	}
	if to == "" {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, pod)
	}
	c, err := new(net.Dialer).DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.open++
	n.mu.Unlock()
	return &counted{Conn: c, n: n}, nil
}

// counted is a connection that notifies the network when it is closed.
type counted struct {
	net.Conn
	n    *network
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() {
		c.n.mu.Lock()
		c.n.open--
		c.n.mu.Unlock()
	})
	return c.Conn.Close()
}

func (n *network) Exec(ctx context.Context, namespace, pod, container string, command []string, out io.Writer) error {
	n.mu.Lock()
	n.execs = append(n.execs, pod+"."+namespace+" "+container+" "+strings.Join(command, " "))
	no, exec := n.noExec[namespace], n.exec
	n.mu.Unlock()
	if no {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, pod, fmt.Errorf(`User "jo" cannot create resource "pods/exec"`))
	}
	if exec == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return exec(container, command, cutBy{ctx, out})
}

// A cutBy is a writer that passes on the output of a program until its context
// ends.
type cutBy struct {
	ctx context.Context
	io.Writer
}

func (c cutBy) Write(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.Writer.Write(b)
}

func (n *network) Release(namespace, pod string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.released = append(n.released, pod+"."+namespace)
}

func (n *network) Pause(namespace, pod string, paused bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused = append(n.paused, fmt.Sprintf("%s.%s %t", pod, namespace, paused))
	return !n.busy
}

func (n *network) Drop(namespace, pod string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dropped = append(n.dropped, pod+"."+namespace)
}

func (n *network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	return nil
}

// locked calls a function that reads from the network, while it holds the
// network's lock.
func locked[T any](n *network, of func() T) T {
	n.mu.Lock()
	defer n.mu.Unlock()
	return of()
}

// serve starts a test server with a handler for a port of a pod.
func (n *network) serve(t *testing.T, name string, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.to[name] = s.Listener.Addr().String()
	return s
}

// raw calls a function for each connection to a port of a pod.
func (n *network) raw(t *testing.T, name string, f func(net.Conn)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer c.Close()
				f(c)
			})
		}
	})
	t.Cleanup(func() { l.Close(); work.Wait() })
	n.mu.Lock()
	defer n.mu.Unlock()
	n.to[name] = l.Addr().String()
}

// silent reads a request and sends nothing until the client closes the connection.
func silent(c net.Conn) { io.Copy(io.Discard, c) }

func newCluster(t *testing.T, api *apiServer, n *network, change func(*ClusterOptions)) *Cluster {
	t.Helper()
	o := ClusterOptions{Context: "kind", Config: &rest.Config{Host: api.URL}, Dialer: n, Timeout: context.WithTimeout, TempDir: t.TempDir()}
	if change != nil {
		change(&o)
	}
	c, err := NewCluster(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(o.TempDir); err != nil || len(left) > 0 {
			t.Errorf("left in the folder for temporary files: %v %v", left, err)
		}
	})
	return c
}

// readBody returns the whole body.
func readBody(t *testing.T, b *transport.Body) string {
	t.Helper()
	text, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// recordedPods returns the pods of a recorded mesh.
func recordedPods(t *testing.T) []corev1.Pod {
	t.Helper()
	b, err := os.ReadFile(kubernetes + "pods.json")
	if err != nil {
		t.Fatal(err)
	}
	var list corev1.PodList
	if err := object.Unmarshal(b, &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func aPod(id string, change func(*corev1.Pod)) corev1.Pod {
	p, _ := podOf(id)
	out := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: p.name, Namespace: p.namespace, Labels: map[string]string{}, Annotations: map[string]string{}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	if change != nil {
		change(&out)
	}
	return out
}

// eventually waits until a condition is true.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.After(5 * time.Second); !so(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("never so: %s", what)
		}
	}
}

// noLeaks checks that f leaves no goroutine behind.
func noLeaks(t *testing.T, f func()) {
	t.Helper()
	before := runtime.NumGoroutine()
	f()
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= before })
}

func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || err.Error() != text {
		t.Errorf("error %q, want %q", fmt.Sprint(err), text)
	}
}
