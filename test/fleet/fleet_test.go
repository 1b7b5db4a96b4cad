package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshq/kubectl-meshq/sources/forward"
)

const captures = "../../sources/testdata/stale"

func newFleet(t *testing.T, o Options) *Fleet {
	t.Helper()
	o.Captures = captures
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// recorded holds the answers of a real Envoy 1.40, by request.
type recorded map[string]struct {
	Status int
	Body   json.RawMessage
}

func openRecorded(t *testing.T, path string) (real recorded) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &real)
	}
	if err != nil {
		t.Fatal(err)
	}
	return real
}

// TestDumpSelectsAsEnvoy checks that a simulated Envoy selects from a config dump exactly what a real Envoy selected
// from it.
func TestDumpSelectsAsEnvoy(t *testing.T) {
	real := openRecorded(t, "../../sources/testdata/live/envoy-1.40.json")
	d, err := readDump(real["config_dump"].Body)
	if err != nil {
		t.Fatal(err)
	}
	eds, err := readDump(real["config_dump?include_eds&mask=static_endpoint_configs,dynamic_endpoint_configs"].Body)
	if err != nil {
		t.Fatal(err)
	}
	d.sections = append(d.sections, eds.sections...)
	chosen(t, d, real, 8)
}

// TestDumpSelectsAllKindsAsEnvoy does the same as TestDumpSelectsAsEnvoy with a dump that has resources of all
// kinds, and with many more queries.
func TestDumpSelectsAllKindsAsEnvoy(t *testing.T) {
	real := openRecorded(t, "testdata/envoy-1.40.json")
	d, err := readDump(real["include_eds"].Body)
	if err != nil {
		t.Fatal(err)
	}
	chosen(t, d, real, 80)
}

func chosen(t *testing.T, d *dump, real recorded, least int) {
	t.Helper()
	m := &image{dump: d, known: map[string]func() *dumpAnswer{}}
	tried := 0
	for request, want := range real {
		query := request
		if _, behind, asked := strings.Cut(request, "?"); asked {
			query = behind
		} else if request == "config_dump" || request == "server_info" {
			continue
		}
		tried++
		s := m.configDump(query)
		got, told := s.text.text, want.Body
		if want.Status != http.StatusOK { // Envoy's wording of a bad mask or expression differs from run to run
			got, told = quote(firstWords(string(got))), quote(firstWords(parsed(t, want.Body).(string)))
		}
		if s.status != want.Status || !cmp.Equal(parsed(t, got), parsed(t, told)) {
			t.Errorf("%s: %d\n%s", request, s.status, cmp.Diff(parsed(t, told), parsed(t, got)))
		}
	}
	if tried < least {
		t.Errorf("only %d requests", tried)
	}
}

// firstWords removes the part of an error that quotes the request.
func firstWords(refusal string) string {
	if before, _, there := strings.Cut(refusal, "from ("); there {
		return before
	}
	if after, there := strings.CutPrefix(refusal, "FieldMask "); there && strings.HasSuffix(after, "used.") {
		return "FieldMask … " + after[strings.LastIndex(after, "could"):]
	}
	return refusal
}

func parsed(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %.200q", err, text)
	}
	return v
}

// TestDumpsHaveSizeAndAreReproducible checks that the dumps of a fleet have the wanted size, are valid JSON, contain
// their own proxy's names, and are the same on each run.
func TestDumpsHaveSizeAndAreReproducible(t *testing.T) {
	o := Options{Seed: 3, Proxies: 9, Istiods: 1, Bytes: 2e6}
	a, b := newFleet(t, o), newFleet(t, o)
	for i, p := range a.Proxies() {
		text := a.Dump(i, "include_eds")
		if !bytes.Equal(text, b.Dump(i, "include_eds")) {
			t.Fatalf("%s has two dumps", p.Name)
		}
		if n := len(text); n < 1.95e6 || n > 2.1e6 {
			t.Errorf("%d bytes", n)
		}
		if bytes.Contains(text, []byte("^pod")) || bytes.Contains(text, []byte("^ms")) || bytes.Contains(text, []byte(a.capture.pod)) {
			t.Error("not filled in")
		}
		if id := "sidecar~" + p.replacements[ipWord] + "~" + p.Name + "." + p.Namespace + "~" + p.Namespace + ".svc.cluster.local"; !bytes.Contains(text, []byte(`"id": "`+id+`"`)) {
			t.Errorf("no node %s", id)
		}
		parsed(t, text)
	}
	var other bytes.Buffer
	if err := json.Indent(&other, a.Dump(0, "include_eds"), "", " "); err != nil || !bytes.Equal(other.Bytes(), a.Dump(0, "include_eds")) {
		t.Error("not written as Envoy writes")
	}
	if bytes.Equal(a.Dump(0, "include_eds"), a.Dump(1, "include_eds")) {
		t.Error("two proxies are one")
	}
}

// TestRepeatedResourcesHaveUniqueNames checks that no two of the repeated resources share a name.
func TestRepeatedResourcesHaveUniqueNames(t *testing.T) {
	f := newFleet(t, Options{Proxies: 1, Istiods: 1, Bytes: 3e6})
	for _, of := range []struct{ kind, list string }{
		{"ClustersConfigDump", "dynamic_active_clusters"}, {"EndpointsConfigDump", "dynamic_endpoint_configs"},
		{"ListenersConfigDump", "dynamic_listeners"}, {"RoutesConfigDump", "dynamic_route_configs"},
	} {
		seen := map[string]bool{}
		for _, e := range f.image.dump.list(of.kind, of.list).elements {
			if e.name == "" || seen[e.name] {
				t.Errorf("%s: %q again", of.list, e.name)
			}
			seen[e.name] = true
		}
		if len(seen) < 20 {
			t.Errorf("%s: only %d", of.list, len(seen))
		}
	}
}

// TestReplacementsAreAsLongAsTokens checks that the replacement of a token is as long as the token.
func TestReplacementsAreAsLongAsTokens(t *testing.T) {
	all, err := newProxies(Options{Proxies: 12345})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Proxy{all[0], all[4321], all[12344]} {
		for kind, token := range tokens() {
			if w := p.replacement(kind, 7); len(w) != len(token) {
				t.Errorf("%q in place of %q", w, token)
			}
		}
	}
}

// TestPourIgnoresPieceSize checks that the size of the pieces in which a body is written has no effect on the body.
func TestPourIgnoresPieceSize(t *testing.T) {
	f := newFleet(t, Options{Proxies: 3, Istiods: 1})
	b := body{{f.image.configDump("mask=bootstrap").text, f.proxies[0]}, {fixed(","), nil}, {f.image.configDump("mask=bootstrap").text, f.proxies[2]}}
	want := b.bytes()
	for size := 26; size < 200; size += 13 {
		var got []byte
		if err := b.pour(make([]byte, size), func(p []byte) error { got = append(got, p...); return nil }); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("in pieces of %d: %v %d of %d bytes", size, err, len(got), len(want))
		}
	}
}

const long = 20 * time.Second

// clientsOver returns a client that reaches the ports of pods through the API server.
func clientsOver(t *testing.T, f *Fleet) (*http.Client, *rest.Config) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", f.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := forward.New(config, forward.Options{Timeout: context.WithTimeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		pod, namespace, _ := strings.Cut(host, ".")
		var n int
		if _, err := fmt.Sscan(port, &n); err != nil {
			return nil, err
		}
		return pool.DialContext(ctx, namespace, pod, n)
	}}}, config
}

// get sends a GET request with the deadline most.
func get(c *http.Client, url string, most time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", resp.Status)
	}
	return string(b), err
}

// TestFleetAnswersAlikeOnBothWays checks that a fleet gives the same answers through the API server as on ports that
// are opened directly. It also checks that each kind of broken proxy causes its own error.
func TestFleetAnswersAlikeOnBothWays(t *testing.T) {
	f := newFleet(t, Options{Proxies: 8, Istiods: 2, Pods: 3, Stale: 1, Hung: 1, Refused: 1, Cut: 1, Busy: 1})
	if err := f.Serve(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if err := f.ServeDirect(); err != nil {
		t.Fatal(err)
	}
	forwarded, _ := clientsOver(t, f)
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	const ask = "/config_dump?mask=version_info,dynamic_active_clusters"
	for i, p := range f.Proxies() {
		want := string(f.Dump(i, ask[len("/config_dump?"):]))
		patience := long
		if p.Trouble == Hung {
			patience = 100 * time.Millisecond
		}
		one, err := get(forwarded, "http://"+p.Name+"."+p.Namespace+":"+envoyPort+ask, patience)
		two, err2 := get(direct, f.Envoys[i]+ask, patience)
		switch p.Trouble {
		case Fine, Stale:
			if err != nil || err2 != nil || one != want || two != want {
				t.Errorf("%s: %v %v, %d and %d of %d bytes", p.Name, err, err2, len(one), len(two), len(want))
			}
			continue
		}
		told := map[Trouble][2]string{
			Hung: {"deadline exceeded", "deadline exceeded"}, Refused: {"refused", "connection refused"},
			Cut: {"EOF", "EOF"}, Busy: {"503", "503"},
		}[p.Trouble]
		if err == nil || err2 == nil || !strings.Contains(err.Error(), told[0]) || !strings.Contains(err2.Error(), told[1]) {
			t.Errorf("%s: %v; %v", p.Trouble, err, err2)
		}
	}
	for i, d := range f.istiods {
		one, err := get(forwarded, "http://"+d.name+".istio-system:"+pilotPort+"/debug/syncz", long)
		two, err2 := get(direct, f.Pilots[i]+"/debug/syncz", long)
		if err != nil || err2 != nil || one != two || len(parsed(t, []byte(one)).([]any)) != 4 {
			t.Errorf("%s: %v %v", d.name, err, err2)
		}
	}
	if n := f.Counters().Read(); n.Envoys.Requests != 14 || n.Proxies != 7 || n.Istiods[0].Requests != 2 || n.Envoys.Bytes < 1e5 || n.Sessions == 0 || n.Overlaps > 1 { // the proxy that never answers may not have seen its request yet
		t.Errorf("%+v", n)
	}
}

// TestSyncReportsOneStaleProxy checks that syncz reports exactly one proxy as stale.
func TestSyncReportsOneStaleProxy(t *testing.T) {
	f := newFleet(t, Options{Proxies: 6, Istiods: 1, Stale: 1})
	if err := f.ServeDirect(); err != nil {
		t.Fatal(err)
	}
	text, err := get(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, f.Pilots[0]+"/debug/syncz", long)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range parsed(t, []byte(text)).([]any) {
		s, p := s.(map[string]any), f.Proxies()[i]
		if s["proxy"] != p.Name+"."+p.Namespace || (s["route_sent"] != s["route_acked"]) != (p.Trouble == Stale) || s["cluster_sent"] != s["cluster_acked"] {
			t.Errorf("%s: %v", p.Name, s)
		}
	}
}

// TestAPIServerListsPods checks that the API server lists pods as a real one does, and only with the right token.
func TestAPIServerListsPods(t *testing.T) {
	f := newFleet(t, Options{Proxies: 5, Istiods: 2, Pods: 3})
	if err := f.Serve(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	_, config := clientsOver(t, f)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, accept string) []byte {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, config.Host+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %v", path, resp.Status, err)
		}
		return b
	}
	var u runtime.Unknown
	var binary, plain, istiods corev1.PodList
	if err := u.Unmarshal(bytes.TrimPrefix(ask("/api/v1/pods", asProtobuf), []byte("k8s\x00"))); err != nil {
		t.Fatal(err)
	}
	if err := binary.Unmarshal(u.Raw); err != nil {
		t.Fatal(err)
	}
	for path, list := range map[string]*corev1.PodList{"/api/v1/pods": &plain, "/api/v1/namespaces/istio-system/pods?labelSelector=app%3Distiod": &istiods} {
		if err := json.Unmarshal(ask(path, asJSON), list); err != nil {
			t.Fatal(err)
		}
	}
	if len(binary.Items) != 10 || len(plain.Items) != 10 || binary.Items[9].Name != plain.Items[9].Name || len(istiods.Items) != 2 {
		t.Errorf("%d, %d and %d pods", len(binary.Items), len(plain.Items), len(istiods.Items))
	}
	if !bytes.Contains(ask("/apis/networking.istio.io", asJSON), []byte(`"groupVersion":"networking.istio.io/v1"`)) ||
		!bytes.Contains(ask("/apis/networking.istio.io/v1/virtualservices", asJSON), []byte(`"bookinfo"`)) {
		t.Error("no virtual services")
	}
}

// TestAPIServerRefusesBeyondItsRate sends more requests than the rate allows. The first ones pass; the others get a 429
// with a Retry-After header.
func TestAPIServerRefusesBeyondItsRate(t *testing.T) {
	f := newFleet(t, Options{Proxies: 1, Istiods: 1, APIRate: 3, RetryAfter: 7})
	if err := f.Serve(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	_, config := clientsOver(t, f)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	refused := int64(0)
	for i := range 50 {
		resp, err := client.Get(config.Host + "/api/v1/pods")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		switch {
		case resp.StatusCode == http.StatusTooManyRequests:
			refused++
			if got := resp.Header.Get("Retry-After"); got != "7" {
				t.Errorf("Retry-After: %q", got)
			}
		case resp.StatusCode != http.StatusOK:
			t.Errorf("request %d: %s", i, resp.Status)
		}
	}
	if refused == 0 || f.Counters().Read().Refusals != refused {
		t.Errorf("%d refusals, counted %d", refused, f.Counters().Read().Refusals)
	}
}
