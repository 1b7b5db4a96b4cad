package recording

import (
	"context"
	"slices"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// TestEndpointsOfSections checks that only the endpoints of the given sections
// are requested.
func TestEndpointsOfSections(t *testing.T) {
	for kind, want := range map[string]string{"sidecar": "clusters", mesh.ZTunnel: ""} {
		if got := proxyEndpoints(kind, []mesh.Section{mesh.Endpoints}); kind == "sidecar" && !slices.Equal(got, []string{"config_dump", want}) || kind != "sidecar" && got != nil {
			t.Errorf("%s: %q", kind, got)
		}
	}
	if got := proxyEndpoints(mesh.ZTunnel, []mesh.Section{mesh.Workloads}); len(got) != 1 || len(proxyEndpoints(mesh.ZTunnel, nil)) != 1 {
		t.Errorf("%q", got)
	}
}

func TestFolderNameOfAddressIsNoPath(t *testing.T) {
	for id, want := range map[string]string{"web-1.default": "web-1.default", "127.0.0.1:15014": "127-0-0-1-15014", "[fe80::1%eth0]:80": "fe80--1-eth0--80"} {
		if got := folderName(id); got != want {
			t.Errorf("%s: %s", id, got)
		}
	}
}

// TestWindowBoundsBytesAndUnits checks that both the size and the number of the
// units that wait to be written are limited.
func TestWindowBoundsBytesAndUnits(t *testing.T) {
	w := &window{sure: 4, left: make(chan struct{}, 1)}
	fill := func() (n int) {
		for w.admits() {
			n++
		}
		return n
	}
	if n := fill(); n != mostUnits {
		t.Errorf("%d small ones", n)
	}
	for range mostUnits {
		w.leave(0)
	}
	w.grow(mostBytes)
	if n := fill(); n != 4 {
		t.Errorf("%d behind what is large", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	<-w.left // wait until the window has signaled that units left
	if err := w.enter(ctx); err != context.Canceled {
		t.Errorf("one more: %v", err)
	}
	w.leave(mostBytes)
	if err := w.enter(t.Context()); err != nil {
		t.Error(err)
	}
}
