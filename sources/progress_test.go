package sources

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A held source waits for a signal from the test before it answers for a proxy or
// lists pods.
type held struct {
	transport.Source
	came, goOn chan struct{}
}

func (h *held) hold() {
	h.came <- struct{}{}
	<-h.goOn
}

func (h *held) Fetch(ctx context.Context, proxy, request string, hint mesh.Hint) (*transport.Body, error) {
	h.hold()
	return h.Source.Fetch(ctx, proxy, request, hint)
}

func (h *held) List(ctx context.Context, resource string) (*transport.Body, error) {
	h.hold()
	return h.Source.List(ctx, resource)
}

func TestProgress(t *testing.T) {
	h := &held{Source: source(t, capture), came: make(chan struct{}), goOn: make(chan struct{})}
	m := open(t, Options{}, &counted{Source: h})
	var bytes int64
	size := func(path ...string) {
		info, err := os.Stat(filepath.Join(append([]string{capture}, path...)...))
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	is := func(when string, want requests.Progress) {
		t.Helper()
		if want.Bytes = bytes; m.Progress() != want {
			t.Errorf("%s: %+v, want %+v", when, m.Progress(), want)
		}
	}
	during := func(when string, v any, want requests.Progress) {
		t.Helper()
		done := make(chan error)
		go func() { _, err := mesh.Force(context.WithoutCancel(t.Context()), v); done <- err }()
		<-h.came
		for want.Phase == "listing pods" && m.Progress().Bytes < bytes { // wait for the responses of istiod, which are requested concurrently
		}
		is(when, want)
		h.goOn <- struct{}{}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	is("before", requests.Progress{})
	size("pilots", thePilot, "syncz.json")
	size("pilots", thePilot, "adsz.json")
	fields := at(t, m.Document()).(*object.Object)
	during("the outline", fields.Get("proxies"), requests.Progress{Phase: "listing pods", Total: 1})
	size("kubernetes", "pods.json")
	is("with the outline", requests.Progress{Phase: "listing pods", Done: 1, Total: 1})
	all, _ := proxies(t, m)
	during("a section", at(t, all[reviewsV2]).(*object.Object).Get("server"), requests.Progress{Phase: "asking proxies", Total: 1})
	size("proxies", reviewsV2, "server_info.json")
	is("with the section", requests.Progress{Phase: "asking proxies", Done: 1, Total: 1})
	during("a list", fields.Get("services"), requests.Progress{Phase: "listing objects", Total: 1})
	size("kubernetes", "services.json")
	is("the end", requests.Progress{Phase: "asking proxies", Done: 1, Total: 1})
}
