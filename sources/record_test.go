package sources

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/recording"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// record records a mesh and returns the bytes of the archive.
func record(t *testing.T, m *Mesh, o recording.Options) ([]byte, recording.Result) {
	t.Helper()
	var out bytes.Buffer
	w, err := transport.NewWriter(&out, m.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Record(t.Context(), w, o)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), r
}

func reopened(t *testing.T, archive []byte) *counted {
	t.Helper()
	s, err := transport.OpenBytes(t.Context(), "again", archive, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &counted{Source: s}
}

// A shelf is an archive that keeps its files in memory, in the order in which they
// were added.
type shelf struct {
	mu    sync.Mutex
	names []string
	files map[string]string
}

func (s *shelf) Add(name string, size int64, r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if int64(len(b)) != size {
		return fmt.Errorf("%s: %d bytes, not %d", name, len(b), size)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string]string{}
	}
	s.names = append(s.names, name)
	s.files[name] = string(b)
	return nil
}

// everything returns all fields of a mesh. A field that can't be read has the
// error as its value.
func everything(t *testing.T, m *Mesh) *object.Object {
	t.Helper()
	all := object.New(0)
	note := func(name string, v any, err error) {
		if err == nil {
			v, err = mesh.Deep(t.Context(), v)
		}
		if err != nil {
			all.Set(name, err.Error())
			return
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all.Set(name, decoded[any](t, b))
	}
	doc := m.Document()
	for _, field := range mustKeys(t, doc) {
		v, err := look(t, doc, field)
		if field == "proxies" || field == "pilots" {
			for _, o := range v.([]any) {
				name, _ := look(t, o, "name")
				for _, key := range mustKeys(t, o) {
					v, err := look(t, o, key)
					note(fmt.Sprint(field, " ", name, " ", key), v, err)
				}
			}
			continue
		}
		note(field, v, err)
	}
	by, order := proxies(t, m)
	for _, id := range order {
		d, err := m.Desired(t.Context(), by[id])
		if err != nil {
			note("desired "+id, nil, err)
			continue
		}
		for _, key := range mustKeys(t, d) {
			v, err := look(t, d, key)
			note("desired "+id+" "+key, v, err)
		}
	}
	return all
}

func mustKeys(t *testing.T, v any) []string {
	t.Helper()
	o, ok := v.(*mesh.Object)
	if !ok {
		t.Fatalf("%T is no object", v)
	}
	fields, err := o.Fields(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fields.Sorted()
}

// forgiven returns a copy of said. In the copy, a text is replaced with the
// digest that says has in the same field, because a recording may replace any
// text with a digest.
func forgiven(said, says any) any {
	switch v := says.(type) {
	case *object.Object:
		was, ok := said.(*object.Object)
		if !ok {
			return said
		}
		out := object.New(0)
		for k, w := range was.All() {
			if is, ok := v.Lookup(k); ok {
				w = forgiven(w, is)
			}
			out.Set(k, w)
		}
		return out
	case []any:
		was, ok := said.([]any)
		if !ok || len(was) != len(v) {
			return said
		}
		out := make([]any, len(was))
		for i := range was {
			out[i] = forgiven(was[i], v[i])
		}
		return out
	case string:
		if _, ok := said.(string); ok && strings.Contains(v, "redacted:") {
			return v
		}
	}
	return said
}

// TestRecord checks that a recording has the same content as the recorded mesh.
func TestRecord(t *testing.T) {
	for _, path := range []string{capture, "../../shared/captures/bookinfo"} {
		if _, err := os.Stat(path); err != nil {
			continue // the repository doesn't contain this capture
		}
		m := open(t, Options{}, source(t, path))
		archive, r := record(t, m, recording.Options{Desired: true})
		again := open(t, Options{}, reopened(t, archive))
		said, says := everything(t, m), everything(t, again)
		if said := forgiven(said, says); !object.Equal(said, any(says)) {
			t.Errorf("%s: %s", path, cmp.Diff(said, any(says)))
		}
		if len(r.Faults) > 0 || r.Partial || r.Digested == 0 || r.Dropped != 0 {
			t.Errorf("%s: %+v", path, r)
		}
		was, is := m.options.Sources[0].Manifest(), again.options.Sources[0].Manifest()
		if !was.TakenAt.Equal(is.TakenAt) || was.Context != is.Context || was.IstioNamespace != is.IstioNamespace || is.Partial {
			t.Errorf("%s: %+v", path, is)
		}
		twice, r2 := record(t, again, recording.Options{Desired: true})
		if !bytes.Equal(archive, twice) || r2.Files != r.Files || r2.Bytes != r.Bytes {
			t.Errorf("%s: recorded again it is another archive: %+v %+v", path, r, r2)
		}
	}
}

func TestRecordedFiles(t *testing.T) {
	s := source(t, capture)
	m := open(t, Options{Concurrency: 3}, s)
	var sh shelf
	r, err := m.Record(t.Context(), &sh, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pilot, first := "pilots/"+thePilot+"/", "proxies/"+gateway+"/"
	want := []string{
		pilot + "syncz.json", pilot + "adsz.json", pilot + "configz.json", pilot + "registryz.json", pilot + "push_status.json",
		pilot + "mesh.json", pilot + "endpointz.json", pilot + "version.txt", "kubernetes/services.json",
	}
	var missing []string
	for _, name := range want {
		if !slices.Contains(sh.names, name) {
			missing = append(missing, name)
		}
	}
	if missing != nil || sh.names[0] != want[0] || sh.names[len(sh.names)-1] != "manifest.json" {
		t.Errorf("missing %q of\n%s", missing, strings.Join(sh.names, "\n"))
	}
	at := slices.Index(sh.names, first+"config_dump.json")
	if at < 0 || !slices.Equal(sh.names[at:at+8], []string{
		first + "config_dump.json", first + "clusters.json", first + "listeners.json", first + "certs.json",
		first + "server_info.json", first + "stats.json", first + "logging.txt", first + "ready.txt",
	}) {
		t.Errorf("%q", sh.names[max(at, 0):])
	}
	if r.Files != len(sh.names) || r.Proxies != 2 {
		t.Errorf("%+v", r)
	}
	if s.most > 3 {
		t.Errorf("%d requests at once", s.most)
	}
	for _, line := range s.log() {
		if strings.HasSuffix(line, " again") {
			t.Errorf("asked for twice: %s", line)
		}
	}
	for name, text := range sh.files { // each file is equal to the original, except for redacted text
		file := filepath.Join(capture, filepath.FromSlash(strings.Replace(name, "endpointslices.discovery.k8s.io", "endpointslices", 1)))
		if was, err := os.ReadFile(file); name != "manifest.json" && (err != nil || string(was) != text && !strings.Contains(text, "redacted:")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRecordShards checks that the snapshots of the parts of a mesh, read together,
// have the content of the whole mesh.
func TestRecordShards(t *testing.T) {
	m := open(t, Options{}, source(t, capture))
	const parts = 3
	var all []*counted
	total := 0
	for i := range parts {
		archive, r := record(t, m, recording.Options{Desired: true, Shard: i + 1, Shards: parts})
		total += r.Proxies
		all = append(all, reopened(t, archive))
	}
	if _, whole := record(t, m, recording.Options{}); total != whole.Proxies || total == 0 {
		t.Errorf("%d of %d proxies", total, whole.Proxies)
	}
	again := open(t, Options{}, all...)
	said, says := everything(t, m), everything(t, again)
	if said := forgiven(said, says); !object.Equal(said, any(says)) {
		t.Error(cmp.Diff(said, any(says)))
	}
}

// TestRecordPart checks that only the selected sections of the selected proxies are
// recorded.
func TestRecordPart(t *testing.T) {
	s := source(t, capture)
	m := open(t, Options{Namespace: "default"}, s)
	var sh shelf
	if _, err := m.Record(t.Context(), &sh, recording.Options{Sections: []mesh.Section{mesh.Stats, mesh.Routes}, Desired: true}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range sh.names {
		if strings.HasPrefix(name, "proxies/") || strings.Contains(name, "reviews-v2") {
			got = append(got, name)
		}
	}
	same(t, "files", got, []string{
		"proxies/" + reviewsV2 + "/config_dump.json", "proxies/" + reviewsV2 + "/stats.json",
		"pilots/" + thePilot + "/config_dump." + reviewsV2 + ".json", "pilots/" + thePilot + "/edsz." + reviewsV2 + ".json",
	})
	for _, line := range s.log() {
		if strings.HasPrefix(line, "proxy "+gateway) {
			t.Errorf("asked: %s", line)
		}
	}
}

// TestRecordSecrets puts secrets in many parts of a mesh and checks that none of
// them is recorded.
func TestRecordSecrets(t *testing.T) {
	const mark = "s3cr3t-"
	dir := copied(t)
	replace := func(name, old, by string) {
		t.Helper()
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), old) {
			t.Fatalf("%s: %v: no %s", name, err, old)
		}
		put(t, dir, name, strings.Replace(string(text), old, by, 1))
	}
	dump := "proxies/" + gateway + "/config_dump.json"
	replace(dump, `"W3JlZGFjdGVkXQ=="`, `"czNjcjN0LQ=="`)
	replace(dump, `"CLUSTER_ID"`, `"MY_TOKEN": "`+mark+`1", "CLUSTER_ID"`)
	replace("proxies/"+gateway+"/server_info.json", `"CLUSTER_ID"`, `"MY_PASSWORD": "`+mark+`2", "CLUSTER_ID"`)
	replace("kubernetes/pods.json", `"imagePullPolicy":"IfNotPresent","name":"istio-proxy"`, `"name":"istio-proxy","env":[{"name":"A","value":"`+mark+`3"},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]`)
	replace("pilots/"+thePilot+"/configz.json", `"kubectl.kubernetes.io/last-applied-configuration":"`, `"kubectl.kubernetes.io/last-applied-configuration":"`+mark+`4`)
	replace("pilots/"+thePilot+"/adsz.json", `"metadata":{`, `"metadata":{"THE_SECRET":"`+mark+`5",`)
	replace("pilots/"+thePilot+"/configz.json", `"spec":{`, `"spec":{"headers":{"request":{"set":{"authorization":"Bearer `+mark+`6"}}},`)
	m := open(t, Options{}, source(t, dir))
	var sh shelf
	r, err := m.Record(t.Context(), &sh, recording.Options{Desired: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range sh.files {
		for _, s := range []string{mark, "czNjcjN0LQ=="} {
			if strings.Contains(text, s) {
				t.Errorf("%s: %s", name, s)
			}
		}
	}
	if pods := sh.files["kubernetes/pods.json"]; !strings.Contains(pods, `{"name":"A","value":"[redacted]"},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}`) {
		at := strings.Index(pods, `"env":`)
		t.Errorf("the environment is not as it should be: %.300s", pods[max(0, at-100):])
	}
	want := []string{"private keys", "tokens", "passwords", "values of environment variables", "free text"}
	if !slices.Equal(r.Redacted, want) || r.Dropped == 0 {
		t.Errorf("%+v", r)
	}
}

// A faulty source returns errors for some requests.
type faulty struct {
	transport.Source
	kind string
	errs map[string]error // the errors to return; the key is "proxy request", "pilot endpoint" or "resource"
	wait string           // the name of the request that blocks until ctx ends

	mu    sync.Mutex
	asked []string
}

func (b *faulty) of(ctx context.Context, what string) error {
	b.mu.Lock()
	b.asked = append(b.asked, what)
	b.mu.Unlock()
	if what == b.wait {
		<-ctx.Done()
		return ctx.Err()
	}
	return b.errs[what]
}

func (b *faulty) Manifest() transport.Manifest {
	m := b.Source.Manifest()
	m.Kind = b.kind
	return m
}

func (b *faulty) Pilot(ctx context.Context, pilot, endpoint string) (*transport.Body, error) {
	if err := b.of(ctx, pilot+" "+endpoint); err != nil {
		return nil, err
	}
	return b.Source.Pilot(ctx, pilot, endpoint)
}

func (b *faulty) Fetch(ctx context.Context, proxy, request string, h mesh.Hint) (*transport.Body, error) {
	if err := b.of(ctx, proxy+" "+request); err != nil {
		return nil, err
	}
	return b.Source.Fetch(ctx, proxy, request, h)
}

func (b *faulty) List(ctx context.Context, resource string) (*transport.Body, error) {
	if err := b.of(ctx, resource); err != nil {
		return nil, err
	}
	return b.Source.List(ctx, resource)
}

// A status is an error with an HTTP status code.
type status int

func (s status) Error() string         { return fmt.Sprint(int(s), " status") }
func (s status) Status() (int, string) { return int(s), "" }

// TestRecordFaults checks that unavailable parts are reported as faults, in the
// result and in the manifest, and that all other parts are recorded.
func TestRecordFaults(t *testing.T) {
	dir := copied(t)
	put(t, dir, "kubernetes/services.json", `{"items":[`)
	s := &faulty{Source: source(t, dir), kind: transport.KindLive, errs: map[string]error{
		reviewsV2 + " config_dump":            errors.New("port 15000 refused"),
		gateway + " stats":                    status(503),
		thePilot + " clusterz":                status(404),
		thePilot + " endpointShardz":          status(404),
		"virtualservices.networking.istio.io": errors.New("forbidden"),
	}}
	m := open(t, Options{Proxies: []string{reviewsV2, gateway}}, transport.Source(s))
	var sh shelf
	r, err := m.Record(t.Context(), &sh, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"kubernetes: services: unexpected end of JSON",
		"kubernetes: virtualServices: forbidden",
		gateway + ": stats: 503 status",
		reviewsV2 + ": config_dump: port 15000 refused",
	}
	var got []string
	for _, f := range r.Faults {
		got = append(got, f.Error())
	}
	same(t, "faults", got, want)
	if !r.Partial || r.Proxies != 1 {
		t.Errorf("%+v", r)
	}
	for _, f := range []string{"clusters", "ready"} { // no further requests are sent to a proxy that can't be reached
		if slices.Contains(s.asked, reviewsV2+" "+f) || !slices.Contains(s.asked, gateway+" "+f) {
			t.Errorf("%s: %q", f, s.asked)
		}
	}
	var manifest struct {
		Partial bool
		Faults  []map[string]string
	}
	if err := object.Unmarshal([]byte(sh.files["manifest.json"]), &manifest); err != nil || !manifest.Partial || len(manifest.Faults) != 4 ||
		manifest.Faults[3]["proxy"] != reviewsV2 || manifest.Faults[3]["message"] != "port 15000 refused" {
		t.Errorf("%v: %s", err, sh.files["manifest.json"])
	}
	if _, there := sh.files["kubernetes/services.json"]; there {
		t.Error("what can't be read is recorded")
	}
	// Reading the snapshot reports that it is partial, and a recording of the
	// snapshot is partial, too.
	back := files(t, sh.files)
	again := open(t, Options{}, source(t, back))
	if !again.options.Sources[0].Manifest().Partial {
		t.Error("the manifest doesn't say it")
	}
	if _, r := record(t, again, recording.Options{}); !r.Partial {
		t.Errorf("%+v", r)
	}
}

func TestNotRecorded(t *testing.T) {
	two := open(t, Options{}, source(t, files(t, map[string]string{"manifest.json": `{"kind":"Snapshot","version":1,"context":"a","takenAt":"2026-11-22T13:00:00Z"}`})), source(t, capture))
	lone := open(t, Options{}, source(t, filepath.Join(capture, "proxies", gateway, "config_dump.json")))
	for want, m := range map[string]*Mesh{
		"a snapshot is of one context: record each on its own":                                 two,
		"a config dump alone is no mesh to be recorded: it is what can be given to --snapshot": lone,
	} {
		if _, err := m.Record(t.Context(), &shelf{}, recording.Options{}); err == nil || err.Error() != want {
			t.Errorf("%v", err)
		}
	}
	full := errors.New("the disk is full")
	m := open(t, Options{}, source(t, capture))
	if _, err := m.Record(t.Context(), adder(func(name string) error {
		if strings.HasPrefix(name, "proxies/") {
			return full
		}
		return nil
	}), recording.Options{}); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

type adder func(name string) error

func (a adder) Add(name string, _ int64, r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	return a(name)
}

// TestRecordCancelled cancels a recording while one response is pending, and checks
// that no goroutines are left.
func TestRecordCancelled(t *testing.T) {
	s := &faulty{Source: source(t, capture), kind: transport.KindSnapshot, wait: reviewsV2 + " stats"}
	m := open(t, Options{}, transport.Source(s))
	ctx, cancel := context.WithCancel(t.Context())
	var tally recording.Tally
	go func() {
		for p := tally.Progress(); p.Done < p.Total-3 || p.Total == 0; p = tally.Progress() {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	before := runtime.NumGoroutine()
	_, err := m.Record(ctx, &shelf{}, recording.Options{Tally: &tally})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// TestRecordBounded checks that recording many large dumps uses little memory.
func TestRecordBounded(t *testing.T) {
	const many, size = 12, 8 << 20
	dir := t.TempDir()
	put(t, dir, "manifest.json", `{"kind":"Snapshot","version":1,"takenAt":"2026-11-22T13:00:00Z"}`)
	put(t, dir, "pilots/istiod-1.istio-system/syncz.json", "[]")
	put(t, dir, "pilots/istiod-1.istio-system/adsz.json", `{"clients":[]}`)
	var dump, pods strings.Builder
	dump.WriteString(`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","dynamic_active_clusters":[`)
	for n := 0; dump.Len() < size; n++ {
		fmt.Fprintf(&dump, `{"version_info":"%d","cluster":{"name":"outbound|%d||svc-%d.default.svc.cluster.local","value":"held","tls":{"private_key":{"inline_bytes":"eA=="}}}},`, n, n, n*n)
	}
	dump.WriteString(`{}]}]}`)
	put(t, dir, "dump", dump.String())
	for n := range many {
		id := fmt.Sprintf("web-%02d", n)
		fmt.Fprintf(&pods, `%s{"metadata":{"name":"%s","namespace":"default"},"spec":{"containers":[{"name":"app"},{"name":"istio-proxy"}]}}`, ","[:min(n, 1)], id)
		folder := filepath.Join(dir, "proxies", id+".default")
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.Link(filepath.Join(dir, "dump"), filepath.Join(folder, "config_dump.json"))); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "kubernetes/pods.json", `{"items":[`+pods.String()+`]}`)
	dump.Reset()
	m := open(t, Options{}, source(t, dir))
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	var most uint64
	r, err := m.Record(t.Context(), adder(func(string) error {
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapInuse)
		return nil
	}), recording.Options{})
	if err != nil || r.Proxies != many || r.Bytes < many*size {
		t.Fatalf("%+v %v", r, err)
	}
	t.Logf("%d MiB recorded, the heap grew by %d KiB", r.Bytes>>20, (int64(most)-int64(before.HeapInuse))>>10)
	if grown := int64(most) - int64(before.HeapInuse); grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

// An awaiting source delays its answers for one proxy until every other proxy
// has received a request.
type awaiting struct {
	transport.Source
	proxy string
	many  int

	mu    sync.Mutex
	asked map[string]bool
	all   chan struct{}
}

func (a *awaiting) Fetch(ctx context.Context, proxy, request string, h mesh.Hint) (*transport.Body, error) {
	if proxy == a.proxy {
		select {
		case <-a.all:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return a.Source.Fetch(ctx, proxy, request, h)
	}
	a.mu.Lock()
	if !a.asked[proxy] {
		if a.asked[proxy] = true; len(a.asked) == a.many-1 {
			close(a.all)
		}
	}
	a.mu.Unlock()
	return a.Source.Fetch(ctx, proxy, request, h)
}

// TestRecordBehind checks that a proxy that doesn't answer doesn't delay the
// recording of the other proxies.
func TestRecordBehind(t *testing.T) {
	const many = 60
	dir := t.TempDir()
	put(t, dir, "manifest.json", `{"kind":"Snapshot","version":1,"takenAt":"2026-11-22T13:00:00Z"}`)
	put(t, dir, "pilots/istiod-1.istio-system/syncz.json", "[]")
	put(t, dir, "pilots/istiod-1.istio-system/adsz.json", `{"clients":[]}`)
	var pods strings.Builder
	for n := range many {
		id := fmt.Sprintf("web-%02d", n)
		fmt.Fprintf(&pods, `%s{"metadata":{"name":"%s","namespace":"default"},"spec":{"containers":[{"name":"app"},{"name":"istio-proxy"}]}}`, ","[:min(n, 1)], id)
		put(t, dir, filepath.Join("proxies", id+".default", "config_dump.json"), `{"configs":[]}`)
	}
	put(t, dir, "kubernetes/pods.json", `{"items":[`+pods.String()+`]}`)
	s := &awaiting{Source: source(t, dir), proxy: "web-00.default", many: many, asked: map[string]bool{}, all: make(chan struct{})}
	m := open(t, Options{Concurrency: 2}, transport.Source(s))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var names []string
	r, err := m.Record(ctx, adder(func(name string) error {
		if strings.HasSuffix(name, "config_dump.json") {
			names = append(names, name)
		}
		return nil
	}), recording.Options{})
	if err != nil || r.Proxies != many {
		s.mu.Lock()
		defer s.mu.Unlock()
		t.Fatalf("%d others asked: %+v %v", len(s.asked), r, err)
	}
	for n, name := range names {
		if !strings.Contains(name, fmt.Sprintf("web-%02d.", n)) {
			t.Errorf("file %d is %s", n, name)
		}
	}
}
