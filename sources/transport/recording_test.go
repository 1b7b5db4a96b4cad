package transport

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// TestFileNames checks that a file that is written for a request is found by the
// same request.
func TestFileNames(t *testing.T) {
	for got, want := range map[string]string{
		PilotFile("istiod.istio-system", "syncz", JSON):                        "pilots/istiod.istio-system/syncz.json",
		PilotFile("istiod.istio-system", "version", Text):                      "pilots/istiod.istio-system/version.txt",
		PilotFile("istiod.istio-system", "config_dump?proxyID=web.shop", JSON): "pilots/istiod.istio-system/config_dump.web.shop.json",
		ProxyFile("web.shop", "config_dump?include_eds", JSON):                 "proxies/web.shop/config_dump.json",
		ProxyFile("web.shop", "clusters", JSON) + "1":                          "proxies/web.shop/clusters.json1",
		ProxyFile("web.shop", "clusters", Text):                                "proxies/web.shop/clusters.txt",
		ProxyFile("web.shop", "ready", Text):                                   "proxies/web.shop/ready.txt",
		ProxyFile("127.0.0.1:80", "stats", JSON):                               "proxies/127.0.0.1%3A80/stats.json",
		ProxyFile("projects/1/nodes/x", "stats", JSON):                         "proxies/projects%2F1%2Fnodes%2Fx/stats.json",
		ProxyFile("..", "stats", JSON):                                         "proxies/%2E%2E/stats.json",
		ListFile("nodes"):                                                      "kubernetes/nodes.json",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, none := range []string{
		PilotFile("../x", "syncz", JSON), PilotFile(".", "syncz", JSON), PilotFile("a/b", "syncz", JSON), PilotFile("a", "syncz", Text),
		PilotFile("a", "edsz?proxyID=../../b", JSON), ProxyFile("", "stats", JSON), ProxyFile("a", "config_dump", Text), ListFile("a/b"),
	} {
		if none != "" {
			t.Errorf("%q is a name", none)
		}
	}
}

// TestManifestJSON checks that reading a manifest returns the same manifest
// that was written, even if it has very many faults.
func TestManifestJSON(t *testing.T) {
	at := time.Date(2026, 11, 22, 13, 2, 45, 0, time.UTC)
	m := Manifest{TakenAt: at.Add(time.Millisecond), Context: "a<b", IstioNamespace: "istio-system", Redacted: []string{"private keys"}, Partial: true}
	var faults []*mesh.Fault
	long := errors.New(strings.Repeat("é", 5000))
	for i := range 20_000 {
		faults = append(faults, &mesh.Fault{Proxy: fmt.Sprintf("web-%d.default", i), Section: "config_dump", Err: long})
	}
	for _, told := range [][]*mesh.Fault{nil, faults[:3], faults} {
		text, err := m.JSON(told)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("config_dump")); n != min(len(told), 1000) || bytes.Contains(text, []byte("and 19000 more")) != (len(told) == 20_000) {
			t.Errorf("%d faults are told of %d", n, len(told))
		}
		var out bytes.Buffer
		w, err := NewWriter(&out, at)
		if err := errors.Join(err, w.Add(ManifestFile, int64(len(text)), bytes.NewReader(text)), w.Close()); err != nil {
			t.Fatal(err)
		}
		s, err := OpenBytes(t.Context(), "x", out.Bytes(), OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		is := s.Manifest()
		if len(s.Faults()) > 0 || !is.TakenAt.Equal(at) || is.Context != m.Context || is.IstioNamespace != m.IstioNamespace || !is.Partial || !slices.Equal(is.Redacted, m.Redacted) {
			t.Errorf("%+v %v", is, s.Faults())
		}
	}
}
