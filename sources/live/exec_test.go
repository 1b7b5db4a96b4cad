package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// prints returns an exec function that simulates a command that prints a fixed
// text.
func prints(text string) func(string, []string, io.Writer) error {
	return func(_ string, _ []string, out io.Writer) error {
		_, err := io.WriteString(out, text)
		return err
	}
}

// TestExecWhereConnectionsAreForbidden checks that the client runs programs in the
// pods if port-forwarding is forbidden, which it learns from the first refused
// connection. No request may wait for the connection of another request: in this
// test the first connection never completes, and the other requests succeed.
func TestExecWhereConnectionsAreForbidden(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	dead := make(chan struct{})
	n.beforeDial = func(name string) {
		if name == "p00.shop:15000" {
			<-dead
		}
	}
	n.noDial["shop"] = true
	n.exec = prints(`{"a":1}` + "\n")
	n.serve(t, "x.free:15000", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") })
	c := newCluster(t, api, n, nil)
	var first, others sync.WaitGroup
	ask := func(i int) {
		body, err := c.Fetch(t.Context(), fmt.Sprintf("p%02d.shop", i), "config_dump", mesh.Hint{})
		if err != nil {
			t.Error(err)
		} else if got := readBody(t, body); got != `{"a":1}`+"\n" || body.Form != transport.JSON {
			t.Errorf("%q", got)
		}
	}
	first.Go(func() { ask(0) })
	eventually(t, "the first is dialled", func() bool { return locked(n, func() bool { return len(n.dials) == 1 }) })
	for i := range 20 {
		others.Go(func() { ask(i + 1) })
	}
	others.Wait() // the other requests don't wait for the first request
	if most := locked(n, func() int { return len(n.dials) }); most > 21 {
		t.Errorf("dialled %d times", most)
	}
	n.dials = nil
	for i := range 5 { // these requests open no connection, because earlier connections were forbidden
		ask(21 + i)
	}
	// in the namespace "free", connections to pods are allowed
	if _, err := c.Fetch(t.Context(), "x.free", "certs", mesh.Hint{}); err != nil {
		t.Error(err)
	}
	if want := []string{"x.free:15000"}; !slices.Equal(n.dials, want) {
		t.Errorf("dialled %q later, want %q", n.dials, want)
	}
	close(dead)
	first.Wait()
	if len(n.execs) != 26 || !slices.Contains(n.execs, "p07.shop istio-proxy pilot-agent request GET config_dump?include_eds") {
		t.Errorf("ran %q", n.execs)
	}
	if len(n.released) != 27 {
		t.Errorf("released %d", len(n.released))
	}
}

func TestPrograms(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.noDial["shop"], n.noDial["istio-system"] = true, true
	n.exec = prints("[]\n")
	c := newCluster(t, api, n, func(o *ClusterOptions) { o.AdminPort = 15004 })
	for _, request := range []string{"logging", "clusters", "config_dump?mask=bootstrap"} {
		if _, err := fetch(c, request); err != nil {
			t.Error(err)
		}
	}
	for _, endpoint := range []string{"syncz", "version"} {
		if _, err := c.Pilot(t.Context(), "i.istio-system", endpoint); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"a.shop istio-proxy pilot-agent request --debug-port=15004 POST logging",
		"a.shop istio-proxy pilot-agent request --debug-port=15004 GET clusters?format=json",
		"a.shop istio-proxy pilot-agent request --debug-port=15004 GET config_dump?mask=bootstrap",
		"i.istio-system discovery pilot-discovery request GET /debug/syncz",
		"i.istio-system discovery pilot-discovery request GET /version",
	}
	if !slices.Equal(n.execs, want) {
		t.Errorf("ran %q, want %q", n.execs, want)
	}
}

// TestPortsOfPrograms checks that pilot-agent runs only for the few ports to which
// it can send requests.
func TestPortsOfPrograms(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	api.pods = []corev1.Pod{aPod("b.shop", func(p *corev1.Pod) { p.Annotations["proxy.istio.io/config"] = "proxyAdminPort: 15099" })}
	n.noDial["shop"] = true
	n.exec = prints("{}")
	c := newCluster(t, api, n, nil)
	if _, err := fetch(c, "certs"); err != nil {
		t.Error(err)
	}
	_, err := c.Fetch(t.Context(), "b.shop", "certs", mesh.Hint{})
	wantError(t, err, "port 15099 can't be asked by exec: pods/portforward create is needed in namespace shop")
	if !apierrors.IsForbidden(err) || len(n.execs) != 1 {
		t.Errorf("%T, ran %q", err, n.execs)
	}
}

// TestPrintedRefusals runs a program that prints the body of an HTTP error and
// exits with code 0. The client must recognize that body as an error.
func TestPrintedRefusals(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.noDial["shop"], n.noDial["istio-system"] = true, true
	c := newCluster(t, api, n, nil)
	for _, try := range []struct {
		request, text string
		code          int
	}{
		{"config_dump", "FieldMask paths: \"nope\" could not be successfully applied to any configs.\n", 400},
		{"config_dump?resource=nope", "nope not found in config dump\n", 404},
		{"certs", "invalid path. admin commands are:\n  /: Admin home page\n", 404},
		{"ready", "invalid path. admin commands are:\n", 404},
		{"logging", "Method Not Allowed", 400},
		{"logging", "active loggers:\n  admin: warning\n", 0},
		{"ready", "LIVE\n", 0},
		{"config_dump", " \n {}", 0},
	} {
		n.exec = prints(try.text)
		_, err := fetch(c, try.request)
		var status *StatusError
		if try.code == 0 && err != nil || try.code != 0 && (!errors.As(err, &status) || status.Code != try.code) {
			t.Errorf("%s: %v, want %d", try.text, err, try.code)
		}
	}
	n.exec = prints("Proxy not connected to this Pilot instance. It may be connected to another instance.\n")
	_, err := c.Pilot(t.Context(), "i.istio-system", "config_dump?proxyID=a.b")
	wantError(t, err, "404 Not Found: Proxy not connected to this Pilot instance. It may be connected to another instance.")
	n.exec = prints("\n")
	_, err = fetch(c, "certs")
	wantError(t, err, "pilot-agent: an empty answer")
	var answered interface{ Answered() bool }
	if !errors.As(err, &answered) || !answered.Answered() {
		t.Errorf("%T: not answered", err)
	}
	n.exec = func(string, []string, io.Writer) error { return errors.New("exit code 1: connection refused") }
	_, err = fetch(c, "certs")
	wantError(t, err, "pilot-agent: exit code 1: connection refused")
	n.exec = func(string, []string, io.Writer) error {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, "a")
	}
	_, err = fetch(c, "certs")
	wantError(t, err, "no such pod")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%T", err)
	}
}

// TestNamedStatus checks that the client creates a StatusError from the error
// message of a program. The message contains the status code of every HTTP
// error except 404.
func TestNamedStatus(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.noDial["shop"] = true
	c := newCluster(t, api, n, nil)
	for said, want := range map[string]StatusError{
		`exit code 1: Error: received unsuccessful status code 400: FieldMask paths: "x" could not be successfully applied to any configs.`: {400, `FieldMask paths: "x" could not be successfully applied to any configs.`},
		"exit code 255: Error: received unsuccessful status code 431:":                                                                      {431, ""},
		"Error: received unsuccessful status code 503":                                                                                      {503, ""},
		"exit code 1: Error: received unsuccessful status code 1000: x":                                                                     {},
		"exit code 1: Error: received unsuccessful status code : x":                                                                         {},
		"exit code 1: Error: dial tcp 127.0.0.1:15000: connect: connection refused":                                                         {},
	} {
		n.exec = func(string, []string, io.Writer) error { return ranError(said) }
		_, err := fetch(c, "config_dump?mask=x")
		var status *StatusError
		if errors.As(err, &status) != (want.Code != 0) || status != nil && *status != want {
			t.Errorf("%s: %v", said, err)
		}
		var answered interface{ Answered() bool }
		if status == nil && (err.Error() != "pilot-agent: "+said || !errors.As(err, &answered)) {
			t.Errorf("%s: %v", said, err)
		}
	}
}

// ranError is the error of a program that has run and failed.
type ranError string

func (e ranError) Error() string { return string(e) }
func (ranError) Answered() bool  { return true }

// TestMissingRightsAreNamed checks the error if neither port-forwarding nor exec
// is allowed. It must name the missing permissions in one line.
func TestMissingRightsAreNamed(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	api.pods = []corev1.Pod{aPod("z.istio-system", func(p *corev1.Pod) { p.Labels["app"] = "ztunnel" })}
	n.noDial["shop"], n.noExec["shop"], n.noDial["istio-system"] = true, true, true
	c := newCluster(t, api, n, nil)
	for _, id := range []string{"a.shop", "b.shop", "c.shop"} {
		_, err := c.Fetch(t.Context(), id, "certs", mesh.Hint{})
		wantError(t, err, "forbidden in namespace shop: pods/portforward create, and pods/exec create; one of them is needed")
		if !apierrors.IsForbidden(err) {
			t.Errorf("%T", err)
		}
	}
	_, err := c.Fetch(t.Context(), "z.istio-system", "config_dump", mesh.Hint{})
	wantError(t, err, "a ztunnel can't be asked by exec: pods/portforward create is needed in namespace istio-system")
	if !apierrors.IsForbidden(err) {
		t.Errorf("%T", err)
	}
	if len(n.dials) != 2 || len(n.execs) != 1 {
		t.Errorf("dialled %q, ran %q", n.dials, n.execs)
	}
}

// TestCanceledRequestLearnsNothing checks that a canceled request doesn't count as
// a refused connection. The next request must try again whether port-forwarding is
// allowed.
func TestCanceledRequestLearnsNothing(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.noDial["shop"] = true
	n.exec = prints("{}")
	ctx, cancel := context.WithCancel(t.Context())
	n.beforeDial = func(string) { cancel() }
	c := newCluster(t, api, n, nil)
	// list the pods now, before ctx can be canceled
	if _, err := c.adminAddress(t.Context(), pod{"a", "shop"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Fetch(ctx, "a.shop", "certs", mesh.Hint{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	n.beforeDial = nil
	if _, err := fetch(c, "certs"); err != nil || len(n.dials) != 2 {
		t.Errorf("%v, dialled %q", err, n.dials)
	}
}

// TestSilentProgramHasADeadline checks that a program that prints nothing has the
// same deadlines as a port that sends nothing.
func TestSilentProgramHasADeadline(t *testing.T) {
	api, n := newAPIServer(t), newNetwork()
	n.noDial["shop"] = true
	for _, try := range []struct {
		exec    func(string, []string, io.Writer) error
		request time.Duration
		want    string
	}{
		{nil, 0, "no answer in 5s"},
		{nil, 2 * time.Second, "no answer in 2s"},
	} {
		n.exec = try.exec
		c := newCluster(t, api, n, func(o *ClusterOptions) { o.Timeout, o.RequestTimeout = fastTimeout, try.request })
		_, err := fetch(c, "certs")
		wantError(t, err, try.want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	n.exec = func(string, []string, io.Writer) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	}
	c := newCluster(t, api, n, nil)
	go func() {
		<-started
		cancel()
	}()
	if _, err := c.Fetch(ctx, "a.shop", "certs", mesh.Hint{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if !strings.HasPrefix(n.execs[0], "a.shop istio-proxy") {
		t.Error(n.execs)
	}
}
