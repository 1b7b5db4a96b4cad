package plugin

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// TestCompleteLive checks that completion requests only names from a live mesh, and
// at most once a minute.
func TestCompleteLive(t *testing.T) {
	p := startPilot(t)
	dir := t.TempDir()
	now := time.Now()
	tab := func(words ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		w := &process.World{Args: append([]string{"kubectl_complete-meshq", "--pilot", p.URL}, words...), Out: &out, Err: &errs, Now: func() time.Time { return now }, Environ: []string{"XDG_CACHE_HOME=" + dir}}
		if code := Main(w); code != process.ExitOK || errs.Len() > 0 {
			t.Errorf("%q: exit code %d: %s", words, code, errs.String())
		}
		return out.String()
	}
	asked := func(want int) {
		t.Helper()
		p.mu.Lock()
		defer p.mu.Unlock()
		n := 0
		for path, times := range p.Request {
			if n += times; path != "/debug/syncz" {
				t.Errorf("%s is asked", path)
			}
		}
		if n != want {
			t.Errorf("asked %v, want %d times", p.Request, want)
		}
	}
	// Completing the syntax and the fields of a query sends no requests.
	if out := tab(".proxies[].clusters[].lb"); !strings.HasPrefix(out, ".proxies[].clusters[].lbPolicy\t") {
		t.Error(out)
	}
	if out := tab(`.proxies[] | select(.rds == "ST`); out != ".proxies[] | select(.rds == \"STALE\"\n:38\n" {
		t.Error(out)
	}
	asked(0)
	for range 2 { // the second completion uses the cache
		if out := tab(`.proxy("ratings`); out != `.proxy("`+theRatings+"\")\n:38\n" {
			t.Error(out)
		}
	}
	if out := tab(".x", "ratings"); out != theRatings+"\n:4\n" {
		t.Error(out)
	}
	if out := tab(`.proxies[] | select(.namespace=="istio`); out != ".proxies[] | select(.namespace==\"istio-system\"\n:38\n" {
		t.Error(out)
	}
	asked(1)
	if out := tab("-n", "istio-system", ".x", "istio-in"); !strings.HasPrefix(out, "istio-ingressgateway-") {
		t.Error(out)
	}
	asked(2)
	files, err := os.ReadDir(filepath.Join(dir, "meshq", "names"))
	if err != nil || len(files) != 2 {
		t.Errorf("%v %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", f.Name(), info.Mode())
		}
	}
	now = now.Add(2 * time.Minute)
	tab(".x", "ratings")
	asked(3)
	if files, _ := os.ReadDir(filepath.Join(dir, "meshq", "names")); len(files) != 1 {
		t.Errorf("%d files: what is too old stays", len(files))
	}
	// Whatever the query contains, completion sends no requests except for names.
	for _, q := range []string{`.proxies[].clusters[] | select(.name == "`, `.proxies[] | desired.clusters[].metadata.filterMetadata.`, `.proxies[] | trace("http://a/").endpoints[0] | select(.workload == "`, `.proxies[].stats.stats[] | select(.name == "`, `.virtualServices[].spec.http[].`, `..|.`} {
		tab(q)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for path := range p.Request {
		if path != "/debug/syncz" {
			t.Errorf("%s is asked", path)
		}
	}
}

// TestMemoryUnusable checks that completion ignores a cache file that can't be read
// or written.
func TestMemoryUnusable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &process.World{Now: time.Now}
	m := memory{w, filepath.Join(dir, "file", "names", "x.json")}
	m.write([]string{"a"})
	if _, ok := m.read(); ok {
		t.Error("it is read")
	}
	broken := memory{w, filepath.Join(dir, "x.json")}
	if err := os.WriteFile(broken.path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if names, ok := broken.read(); ok {
		t.Error(names)
	}
}
