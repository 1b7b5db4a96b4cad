package live

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

func TestDirect(t *testing.T) {
	n := newNetwork()
	echo := func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Method+" "+r.URL.RequestURI()) }
	pilot, envoy := n.serve(t, "i", echo), n.serve(t, "e", echo)
	d, err := NewDirect(DirectOptions{
		Pilots: []string{pilot.URL, strings.TrimPrefix(pilot.URL, "http://")}, Envoys: []string{envoy.URL + "/"}, Timeout: context.WithTimeout, TempDir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var s transport.Source = d
	pilots, err := s.Pilots(t.Context())
	if err != nil || !slices.Equal(pilots, []string{pilot.Listener.Addr().String()}) {
		t.Errorf("%q %v", pilots, err)
	}
	envoys, err := s.Proxies(t.Context())
	if err != nil || !slices.Equal(envoys, []string{envoy.Listener.Addr().String()}) {
		t.Errorf("%q %v", envoys, err)
	}
	body, err := s.Pilot(t.Context(), pilots[0], "syncz")
	if err != nil || readBody(t, body) != "GET /debug/syncz" {
		t.Error(err)
	}
	body, err = s.Fetch(t.Context(), envoys[0], "logging", mesh.Hint{})
	if err != nil || readBody(t, body) != "POST /logging" {
		t.Error(err)
	}
	if m := s.Manifest(); m.Kind != transport.KindLive || m.Context != "" {
		t.Errorf("%+v", m)
	}
	for _, f := range []func() (*transport.Body, error){
		func() (*transport.Body, error) { return s.List(t.Context(), "pods") },
		func() (*transport.Body, error) { return s.Fetch(t.Context(), pilots[0], "ready", mesh.Hint{}) },
		func() (*transport.Body, error) { return s.Pilot(t.Context(), envoys[0], "syncz") },
	} {
		if _, err := f(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, want that there is none", err)
		}
	}
	if _, err := s.Fetch(t.Context(), envoys[0], "quitquitquit", mesh.Hint{}); err == nil {
		t.Error("Envoy was to quit")
	}
	if got := d.Stats(); got.Asked != got.Done || got.Bytes != int64(len("GET /debug/syncz")+len("POST /logging")) {
		t.Errorf("%+v", got)
	}
	envoy.Close()
	_, err = s.Fetch(t.Context(), envoys[0], "ready", mesh.Hint{})
	wantError(t, err, envoys[0]+": refused")
	_, err = s.Fetch(t.Context(), "b.shop", "ready", mesh.Hint{})
	wantError(t, err, "no address of it is known")
	_, err = s.Pilot(t.Context(), "i.istio-system", "syncz")
	wantError(t, err, "no address of it is known")
}

// TestDirectErrors checks that each error contains the address and wraps the
// original error.
func TestDirectErrors(t *testing.T) {
	n := newNetwork()
	no := n.serve(t, "i", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Unauthorized", http.StatusUnauthorized) })
	n.raw(t, "e", silent)
	pilot, envoy := no.Listener.Addr().String(), n.to["e"]
	d, err := NewDirect(DirectOptions{Pilots: []string{pilot}, Envoys: []string{envoy}, Timeout: fastTimeout, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	_, err = d.Pilot(t.Context(), pilot, "syncz")
	wantError(t, err, pilot+": 401 Unauthorized: Unauthorized")
	var status *StatusError
	if !errors.As(err, &status) || status.Code != http.StatusUnauthorized {
		t.Errorf("%T", err)
	}
	_, err = d.Fetch(t.Context(), envoy, "certs", mesh.Hint{})
	wantError(t, err, envoy+": no answer in 5s")
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err = d.Fetch(ctx, envoy, "certs", mesh.Hint{}); err != why {
		t.Error(err)
	}
}

func TestHosts(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:15014": "127.0.0.1:15014", "127.0.0.1:1": "127.0.0.1:1", "localhost": "localhost:15000", "http://h": "h:80",
		"[::1]:15000": "[::1]:15000", "http://[::1]": "[::1]:80", "http://h:1/": "h:1",
	} {
		if got, err := host(address, envoyPort); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", address, got, err, want)
		}
	}
	for _, address := range []string{
		"", "http://", "https://h:1", "unix:///x", "http://h:1/stats", "h:1?x", "http://h:1#x", "h:0", "h:99999", "h:x", "http://u:s3cret@h:1",
		"u:s3cret@h:1", "http://u:s3cret@h h:1", ":15000",
	} {
		_, err := NewDirect(DirectOptions{Envoys: []string{address}})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}
