package sources

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/section"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A replayed source acts as a live mesh. It answers each request with the recorded
// response of a real Envoy 1.40, which is the same for all proxies.
type replayed struct {
	transport.Source // answers all requests that aren't sent to a proxy
	answers          map[string]struct {
		Status int
		Body   json.RawMessage
	}
	trouble map[string]error // errors to return in place of a response; the key is the request

	mu    sync.Mutex
	asked []string
}

func replay(t *testing.T, version string, ids ...string) *replayed {
	t.Helper()
	var status, clients []string
	for i, id := range ids {
		status = append(status, synced("Kubernetes", id, i))
		clients = append(clients, connected("Kubernetes", id, i))
	}
	of := func(body string) string {
		return string(bytes.ReplaceAll([]byte(body), []byte("1.31.0"), []byte(version)))
	}
	r := &replayed{Source: source(t, files(t, map[string]string{
		"pilots/i.s/syncz.json": of(syncz(status...)), "pilots/i.s/adsz.json": of(adsz(clients...)), "kubernetes/pods.json": podItems(ids...),
	}))}
	r.read(t, "testdata/live/envoy-1.40.json")
	return r
}

// read adds the recorded responses in a file.
func (r *replayed) read(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = object.Unmarshal(b, &r.answers)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (*replayed) Manifest() transport.Manifest {
	return transport.Manifest{Kind: transport.KindLive, IstioNamespace: "s"}
}

func (r *replayed) Fetch(_ context.Context, _, request string, _ mesh.Hint) (*transport.Body, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, request)
	if err := r.trouble[request]; err != nil {
		return nil, err
	}
	a, ok := r.answers[strings.TrimSuffix(request, "?")]
	switch {
	case !ok:
		return nil, fmt.Errorf("%s was never recorded", request)
	case a.Status != 200:
		var text string
		if err := object.Unmarshal(a.Body, &text); err != nil {
			return nil, err
		}
		return nil, &statusError{a.Status, text}
	}
	return &transport.Body{Bytes: bytes.NewReader(a.Body), Name: request}, nil
}

type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string         { return fmt.Sprint(e.code) }
func (e *statusError) Status() (int, string) { return e.code, e.text }

type narrower interface {
	Narrow(ctx context.Context, h mesh.Hint) ([]any, bool, error)
}

const (
	clusterMask  = "config_dump?mask=version_info,static_clusters,dynamic_active_clusters,dynamic_warming_clusters"
	routeMask    = "config_dump?mask=static_route_configs,dynamic_route_configs"
	ratings      = "outbound|9080||ratings.default.svc.cluster.local"
	ratingsRegex = `&name_regex=outbound%5C%7C9080%5C%7C%5C%7Cratings%5C.default%5C.svc%5C.cluster%5C.local`
)

// narrowed requests elements of the section clusters by name, and returns the
// names of the elements in the response.
func narrowed(t *testing.T, p any, names ...string) (got []string, ok bool) {
	t.Helper()
	m, err := mesh.Force(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	section := m.(*object.Object).Get("clusters").(narrower)
	all, ok, err := section.Narrow(t.Context(), mesh.Hint{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		got = append(got, at(t, c, "name").(string))
	}
	return got, ok
}

// TestNarrowRequests checks that only the elements and sections that are read are
// requested from a live Envoy, and each of them only once.
func TestNarrowRequests(t *testing.T) {
	r := replay(t, "1.31.0", "p.x")
	m := open(t, Options{}, r)
	by, _ := proxies(t, m)
	p := by["p.x"]
	for _, names := range [][]string{{"c1"}, {ratings}, {"none"}, {"c1"}} {
		got, ok := narrowed(t, p, names...)
		want := names
		if names[0] == "none" {
			want = nil
		}
		if !ok || !slices.Equal(got, want) {
			t.Errorf("%q: %q", names, got)
		}
	}
	if _, ok := narrowed(t, p, "c1", "none"); ok {
		t.Error("a fourth part")
	}
	same(t, "asked", r.asked, []string{clusterMask + "&name_regex=c1", clusterMask + ratingsRegex, clusterMask + "&name_regex=none"})
	r.asked = nil
	if all := at(t, p, "clusters").([]any); len(all) != 2 || at(t, all[1], "state") != "STATIC" {
		t.Errorf("%v", all)
	}
	if name := at(t, at(t, p, "routes").([]any)[0], "name"); name != "http.80" {
		t.Errorf("route %v", name)
	}
	if all := at(t, p, "extensions").([]any); len(all) != 0 { // Envoy rejects a mask that matches nothing
		t.Errorf("%v", all)
	}
	if v := at(t, at(t, p, "endpoints").([]any)[0], "address"); v != "127.0.0.1:1" {
		t.Errorf("endpoint %v", v)
	}
	if v := at(t, p, "bootstrap", "node", "cluster"); v != "web" {
		t.Errorf("bootstrap %v", v)
	}
	same(t, "asked", r.asked, []string{clusterMask, routeMask, "config_dump?mask=ecds_filters",
		"config_dump?include_eds&mask=static_endpoint_configs,dynamic_endpoint_configs", "config_dump?mask=bootstrap"})
	same(t, "faults", faults(m), nil)
}

// TestWiderRequests checks which requests are sent if masks may not work. If the
// Envoy is too old for masks, complete dumps are requested. If istiod doesn't report
// the Envoy's version, the version is requested from the Envoy. If the Envoy rejects
// a request, a request for more data follows.
func TestWiderRequests(t *testing.T) {
	no := map[string]error{clusterMask + "&name_regex=c1": &statusError{400, "Invalid re"}, clusterMask: &statusError{400, "FieldMask"}}
	for _, c := range []struct {
		version string
		trouble map[string]error
		want    []string
	}{
		{"1.11.8", nil, []string{"config_dump?"}},
		{"1.12.0", nil, []string{clusterMask + "&name_regex=c1"}},
		{"unknown", nil, []string{"server_info", clusterMask + "&name_regex=c1"}},
		{"1.31.0", no, []string{clusterMask + "&name_regex=c1", clusterMask, "config_dump?"}},
	} {
		r := replay(t, c.version, "p.x")
		r.trouble = c.trouble
		m := open(t, Options{}, r)
		by, _ := proxies(t, m)
		if got, ok := narrowed(t, by["p.x"], "c1"); !ok || !slices.Contains(got, "c1") {
			t.Errorf("%s: %q", c.version, got)
		}
		same(t, c.version, r.asked, c.want)
		same(t, "faults", faults(m), nil)
	}
}

// TestUnreachableProxy checks that a proxy that can't be reached causes only one
// timeout, whatever is requested afterwards.
func TestUnreachableProxy(t *testing.T) {
	r := replay(t, "1.31.0", "p.x")
	r.trouble = map[string]error{clusterMask + "&name_regex=c1": errors.New("no answer in 5s")}
	m := open(t, Options{}, r)
	by, _ := proxies(t, m)
	f, _ := mesh.Force(t.Context(), by["p.x"])
	if _, ok, err := f.(*object.Object).Get("clusters").(narrower).Narrow(t.Context(), mesh.Hint{Names: []string{"c1"}}); ok || err == nil {
		t.Errorf("%v %v", ok, err)
	}
	for _, s := range []string{"clusters", "routes", "server"} {
		if _, err := look(t, by["p.x"], s); err == nil {
			t.Errorf("%s is there", s)
		}
	}
	same(t, "asked", r.asked, []string{clusterMask + "&name_regex=c1"})
	same(t, "faults", faults(m), []string{"p.x: clusters: no answer in 5s", "p.x: routes: no answer in 5s", "p.x: server: no answer in 5s"})
}

// TestProgramThatFailed checks when a program in the proxy's pod is run again after
// an error. If the program was started and failed, it is run again for the next
// request. If it could not be started, it isn't.
func TestProgramThatFailed(t *testing.T) {
	for ran, want := range map[ranError]int{true: 2, false: 1} {
		r := replay(t, "1.31.0", "p.x")
		r.trouble = map[string]error{clusterMask: fmt.Errorf("pilot-agent: %w", ran), routeMask: ran}
		m := open(t, Options{}, r)
		by, _ := proxies(t, m)
		for _, s := range []string{"clusters", "routes"} {
			if _, err := look(t, by["p.x"], s); err == nil {
				t.Errorf("%s is there", s)
			}
		}
		if len(r.asked) != want {
			t.Errorf("run %v: asked %q", ran, r.asked)
		}
	}
}

// ranError is the error of running a program in a pod. Its value reports
// whether the program was started.
type ranError bool

func (ranError) Error() string    { return "exit code 1" }
func (e ranError) Answered() bool { return bool(e) }

// TestTooManyWholeProxies checks that the run ends if it reads all sections of
// more live proxies than allowed. Reading only some of their sections doesn't
// end it.
func TestTooManyWholeProxies(t *testing.T) {
	ids := []string{"a.x", "b.x", "c.x"}
	run := func(sections []mesh.Part) (told error) {
		r := replay(t, "1.31.0", ids...)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		m, err := Open(ctx, Options{Sources: []transport.Source{r}, MaxWhole: 2, TooMany: func(e *section.TooManyError) { cancel(e) }})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		by, _ := proxies(t, m)
		for _, id := range ids {
			f, err := mesh.Force(ctx, by[id])
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range sections {
				// requests without a recorded response fail; only the number of
				// proxies matters here
				_, _ = mesh.Force(ctx, f.(*object.Object).Get(string(s.Name)))
			}
		}
		return context.Cause(ctx)
	}
	all := mesh.SectionsOf("sidecar")
	if err := run(all[:len(all)-1]); err != nil {
		t.Errorf("sections by name: %v", err)
	}
	var many *section.TooManyError
	if err := run(all); !errors.As(err, &many) || many.Most != 2 {
		t.Errorf("%v", err)
	}
}

// TestUnreadable checks that reading the proxies of a live mesh fails if no source
// responds. An empty list would hide the failure.
func TestUnreadable(t *testing.T) {
	nothing := func(kind string) transport.Source {
		return &kinded{source(t, files(t, map[string]string{"pilots/i.s/syncz.json": "no"})), kind}
	}
	_, err := look(t, open(t, Options{}, nothing(transport.KindLive)).Document(), "proxies")
	var none *inventory.UnreadableError
	if !errors.As(err, &none) || len(none.Faults) != 1 {
		t.Errorf("%v", err)
	}
	if _, err := look(t, open(t, Options{}, nothing(transport.KindSnapshot)).Document(), "proxies"); err != nil {
		t.Error(err)
	}
}

// A kinded source wraps a source and replaces the kind in its manifest.
type kinded struct {
	transport.Source
	kind string
}

func (k *kinded) Manifest() transport.Manifest { return transport.Manifest{Kind: k.kind} }
