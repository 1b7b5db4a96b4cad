package sources

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// An awaiting source answers for one proxy when all others were asked.
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

// TestRecordBehind: a proxy that doesn't answer makes none of the others wait.
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
	}), RecordOptions{})
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

// What waits to be written is bounded by its bytes, and by its number.
func TestRecordWindow(t *testing.T) {
	w := &window{sure: 4, room: make(chan struct{}, 1)}
	fill := func() (n int) {
		for w.admits() {
			n++
		}
		return n
	}
	if n := fill(); n != aheadSmall {
		t.Errorf("%d small ones", n)
	}
	for range aheadSmall {
		w.leave(0)
	}
	w.holds(aheadBytes)
	if n := fill(); n != 4 {
		t.Errorf("%d behind what is large", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	<-w.room // of those that left before
	if err := w.enter(ctx); err != context.Canceled {
		t.Errorf("one more: %v", err)
	}
	w.leave(aheadBytes)
	if err := w.enter(t.Context()); err != nil {
		t.Error(err)
	}
}
