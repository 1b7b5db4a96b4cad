package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	gwebsocket "github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/streaming/pkg/httpstream"
)

// channels runs a command over a WebSocket, in the protocol with numbered
// channels.
func (c *cluster) channels(w http.ResponseWriter, r *http.Request) {
	up := gwebsocket.Upgrader{Subprotocols: []string{"v5.channel.k8s.io"}}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	var mu sync.Mutex
	for i := range byte(4) { // send an empty message on each channel, as an API server does
		ws.WriteMessage(gwebsocket.BinaryMessage, []byte{i})
	}
	to := func(channel byte) io.Writer {
		return writer(func(b []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return len(b), ws.WriteMessage(gwebsocket.BinaryMessage, append([]byte{channel}, b...))
		})
	}
	if s := c.command(r.URL.Query()["command"], to(1), to(2)); s != nil {
		json.NewEncoder(to(3)).Encode(s)
		ws.WriteMessage(gwebsocket.CloseMessage, gwebsocket.FormatCloseMessage(gwebsocket.CloseNormalClosure, ""))
	}
}

// serveCommand runs a command over SPDY streams.
func (c *cluster) serveCommand(argv []string) func(httpstream.Connection, chan httpstream.Stream) {
	return func(conn httpstream.Connection, streams chan httpstream.Stream) {
		defer conn.Close()
		all := map[string]httpstream.Stream{}
		for len(all) < 3 {
			select {
			case s := <-streams:
				all[s.Headers().Get(corev1.StreamType)] = s
			case <-conn.CloseChan():
				return
			}
		}
		s := c.command(argv, all[corev1.StreamTypeStdout], all[corev1.StreamTypeStderr])
		if s == nil {
			return
		}
		json.NewEncoder(all[corev1.StreamTypeError]).Encode(s)
		for _, s := range all {
			s.Close()
		}
		<-conn.CloseChan()
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

func exit(code string) *metav1.Status {
	return &metav1.Status{Status: metav1.StatusFailure, Reason: "NonZeroExitCode", Message: "command terminated with non-zero exit code",
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: "ExitCode", Message: code}}}}
}

// shell simulates the commands that every pod can run. If it returns nil, the
// connection breaks.
func shell(argv []string, stdout, stderr io.Writer) *metav1.Status {
	switch argv[0] {
	case "echo":
		fmt.Fprintln(stdout, strings.Join(argv[1:], " "))
	case "much":
		for range 64 {
			stdout.Write(make([]byte, 32<<10))
		}
	case "fail":
		fmt.Fprint(stderr, "Error: no\n such thing\n")
		return exit("7")
	case "missing":
		return exit("127")
	case "vague": // some container runtimes don't report the exit code
		fmt.Fprint(stderr, "Error: no\n")
		return &metav1.Status{Status: metav1.StatusFailure, Reason: "InternalError", Message: "Internal error occurred: command terminated with exit code 1"}
	case "die":
		stdout.Write([]byte("half"))
		return nil
	default:
		return &metav1.Status{Status: metav1.StatusFailure, Reason: "InternalError", Message: `Internal error occurred: error executing command in container: exec: "` + argv[0] + `": executable file not found in $PATH`}
	}
	return &metav1.Status{Status: metav1.StatusSuccess}
}

func TestExec(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		c.command = shell
		p := c.pool(t, Options{})
		run := func(argv ...string) (string, error) {
			var out bytes.Buffer
			err := p.Exec(within(t), "shop", "a", "istio-proxy", argv, &out)
			return out.String(), err
		}
		if out, err := run("echo", "a b", "&c"); out != "a b &c\n" || err != nil {
			t.Errorf("%q, %v", out, err)
		}
		if out, err := run("much"); len(out) != 2<<20 || err != nil {
			t.Errorf("%d bytes, %v", len(out), err)
		}
		_, err := run("fail")
		var exit *ExitError
		if !errors.As(err, &exit) || exit.Code != 7 || exit.Error() != "exit code 7: Error: no such thing" || !exit.Answered() {
			t.Errorf("%v", err)
		}
		if _, err = run("missing"); !errors.As(err, &exit) || exit.Answered() {
			t.Errorf("%v", err)
		}
		var not *ExecError
		_, err = run("vague")
		if !errors.As(err, &not) || not.Error() != "command terminated with exit code 1: Error: no" || !not.Answered() {
			t.Errorf("%v", err)
		}
		_, err = run("pilot-agent")
		if !errors.As(err, &not) || not.Error() != `exec: "pilot-agent": executable file not found in $PATH` || not.Answered() {
			t.Errorf("%v", err)
		}
		if out, err := run("die"); !errors.Is(err, LostError{}) {
			t.Errorf("broken off: %q, %v", out, err)
		}
		full := errors.New("disk full")
		err = p.Exec(within(t), "shop", "a", "istio-proxy", []string{"much"}, writer(func([]byte) (int, error) { return 0, full }))
		if err != full {
			t.Errorf("%v", err)
		}
		if last := c.tried[len(c.tried)-1]; last != way+" exec a.shop" {
			t.Errorf("%s", last)
		}
	})
}

func TestExecForbidden(t *testing.T) {
	c := newCluster(t)
	c.refuse = func(w http.ResponseWriter, _ *http.Request, way string) bool {
		verb := map[string]string{"websocket": "get", "spdy": "create"}[way]
		status(w, 403, metav1.StatusReasonForbidden, fmt.Sprintf(`pods "a" is forbidden: User "u" cannot %s resource "pods/exec"`, verb))
		return true
	}
	err := c.pool(t, Options{}).Exec(within(t), "shop", "a", "istio-proxy", []string{"echo"}, io.Discard)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `cannot create resource "pods/exec"`) {
		t.Errorf("%v", err)
	}
}

func TestExecCancelled(t *testing.T) {
	ways(t, func(t *testing.T, c *cluster, way string) {
		started := make(chan struct{}, 2)
		c.command = func(argv []string, stdout, _ io.Writer) *metav1.Status {
			if argv[0] == "hang" {
				started <- struct{}{}
				<-c.ended
			}
			return shell([]string{"echo"}, stdout, nil)
		}
		p := c.pool(t, Options{})
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		go func() { <-started; cancel(why) }()
		if err := p.Exec(ctx, "shop", "a", "istio-proxy", []string{"hang"}, io.Discard); err != why {
			t.Errorf("cancelled: %v", err)
		}
		go func() { <-started; p.Close() }()
		if err := p.Exec(t.Context(), "shop", "a", "istio-proxy", []string{"hang"}, io.Discard); err != net.ErrClosed {
			t.Errorf("pool closed: %v", err)
		}
		if err := p.Exec(t.Context(), "shop", "a", "istio-proxy", []string{"echo"}, io.Discard); err != net.ErrClosed {
			t.Errorf("after Close: %v", err)
		}
		p.Close()
		for _, stack := range left(t) {
			t.Errorf("left after Close:\n%s", stack)
		}
	})
}
