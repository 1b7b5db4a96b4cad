package large

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/test/program"

	simulated "github.com/meshq/kubectl-meshq/test/fleet"
)

// TestTraceOverFleetRequestsLittle traces a request from every proxy of a live
// fleet and counts the requests to each Envoy. Besides its identity, an Envoy
// is asked for the listeners of the port, the route configuration, the clusters
// and their endpoints: by name, with one request each and one at a time, and
// never for a whole section.
func TestTraceOverFleetRequestsLittle(t *testing.T) {
	const proxies, dump = 12, 3_000_000
	f, err := simulated.New(simulated.Options{Captures: "sources/testdata/stale", Seed: 1, Proxies: proxies, Istiods: 1, Bytes: dump})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := f.ServeDirect(); err != nil {
		t.Fatal(err)
	}
	args := []string{"-c"}
	for _, p := range f.Pilots {
		args = append(args, "--pilot", p)
	}
	for _, e := range f.Envoys {
		args = append(args, "--envoy", e)
	}
	f.Counters().Reset()
	out, errs, code := program.Run(t, append(args, `[.proxies[] | trace("http://reviews:9080/reviews/1") | {cluster, reason, clusters: (.clusters | length)}] | group_by(.) | map({(.[0] | tojson): length}) | add`)...)
	if want := `{"{\"cluster\":null,\"reason\":null,\"clusters\":2}":12}`; code != 0 || strings.TrimSpace(out) != want {
		t.Fatalf("exit code %d: %s, want %s\n%s", code, out, want, errs)
	}
	n := f.Counters().Read()
	for path, times := range n.Envoys.Paths {
		if path != "/config_dump?mask=bootstrap" && (!strings.Contains(path, "name_regex=") || times > proxies) {
			t.Errorf("asked %d times for %s", times, path)
		}
	}
	if n.Proxies != proxies || n.Envoys.Requests > 5*proxies || n.Overlaps > 0 || n.Envoys.Bytes > proxies*dump/50 {
		t.Errorf("%d proxies were asked %d requests, %d bytes, %d of them at once: %v", n.Proxies, n.Envoys.Requests, n.Envoys.Bytes, n.Overlaps, n.Envoys.Paths)
	}
}

// BenchmarkTraceRecorded measures a trace on 1,000 recorded proxies of a mesh
// with few services, including the start of the program. It reports the time
// per proxy.
func BenchmarkTraceRecorded(b *testing.B) {
	const proxies = 1000
	path := fleet(b, proxies, 1)
	for b.Loop() {
		var out, errs bytes.Buffer
		w := &process.World{
			Args: []string{"kubectl-meshq", "--snapshot", path, `[.proxies[] | trace("http://reviews:9080/reviews/1") | .reached] | map(select(.)) | length`},
			In:   strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now, Environ: []string{"HOME=" + b.TempDir()},
		}
		if code := plugin.Main(w); code != 0 || strings.TrimSpace(out.String()) != "1000" {
			b.Fatal(code, out.String(), errs.String())
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N)/proxies, "ms/proxy")
}
