package plugin

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// TestFiltersReachEnvoy holds that what a query's arguments say is asked of
// Envoy, not looked for in all that it has.
func TestFiltersReachEnvoy(t *testing.T) {
	from, err := transport.OpenBytes(t.Context(), "demo", demo.Archive, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	envoy, err := url.Parse(serveEnvoy(t, from, theReviews))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var asked []string
	proxy := httputil.NewSingleHostReverseProxy(envoy)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if mask := r.URL.Query().Get("mask"); mask != "bootstrap" { // which Envoy it is
			asked = append(asked, mask+" "+r.URL.Query().Get("name_regex"))
		}
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	defer server.Close()
	pilot := startPilot(t)
	for _, c := range []struct {
		words string
		want  string // part of the expression for names
	}{
		{"clusters --fqdn ratings --port 9080", "ratings"},
		{"clusters --port 9080", "9080"},
		{"clusters --subset v1", "v1"},
		{"routes --name 9080", "9080"},
		{"listeners --name virtualInbound", "virtualInbound"},
	} {
		asked = nil
		args := append(strings.Fields(c.words), "reviews-v1", "--pilot", pilot.URL, "--envoy", server.URL)
		if out := said(t, args...); strings.Count(out, "\n") < 2 {
			t.Errorf("%s: %s", c.words, out)
		}
		whole := func(request string) bool { return !strings.Contains(request, c.want) }
		if len(asked) == 0 || slices.ContainsFunc(asked, whole) {
			t.Errorf("%s asked for %q", c.words, asked)
		}
	}
}
