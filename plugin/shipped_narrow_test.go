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

// TestFiltersReachEnvoy checks that the arguments of a query filter Envoy's
// response: the request contains a regular expression for names. Otherwise, the
// program would request everything and filter it itself.
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
		if mask := r.URL.Query().Get("mask"); mask != "bootstrap" { // the program requests the bootstrap to identify the Envoy
			asked = append(asked, mask+" "+r.URL.Query().Get("name_regex"))
		}
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	defer server.Close()
	pilot := startPilot(t)
	for _, c := range []struct {
		words string
		want  string // a text that the regular expression for names must contain
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
