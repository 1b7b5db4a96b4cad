package section

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// mostNarrow is how many times a section of one proxy is asked for some of its
// elements before it is loaded whole.
const mostNarrow = 3

// A section of a live Envoy can be asked for in part: some of its elements or,
// where the query reads no more, some fields of all.
type section struct {
	*store.Thunk // what the query is known to read of it
	proxy        *Proxy
	name         mesh.Section

	// proxy.mu guards what follows.
	parts map[string]*store.Thunk // by the names and patterns asked for
}

// Narrow returns the elements that h asks for, by a request that costs Envoy
// little. ok is false where the section has no such request or was asked for
// parts often enough that it is better loaded whole.
func (s *section) Narrow(ctx context.Context, h mesh.Hint) (elements []any, ok bool, err error) {
	key := envoy.Key(s.name)
	h = mesh.Hint{By: cmp.Or(h.By, key), Names: sortedSet(h.Names), Patterns: sortedSet(h.Patterns)}
	if len(h.Names)+len(h.Patterns) == 0 || key == "" || h.By != key {
		return nil, false, nil
	}
	part := s.part(h)
	if part == nil {
		return nil, false, nil
	}
	v, err := part.Force(ctx)
	if err != nil {
		return nil, false, err
	}
	elements, ok = v.([]any)
	return elements, ok, nil
}

func sortedSet(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// part returns the elements wanted; nil when the section should be loaded whole.
func (s *section) part(wanted mesh.Hint) *store.Thunk {
	p := s.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	key := strings.Join(wanted.Names, "\x00") + "\x00\x00" + strings.Join(wanted.Patterns, "\x00") // no name has a NUL
	if t := s.parts[key]; t != nil || len(s.parts) >= mostNarrow {
		return t
	}
	t := p.group.Thunk(func(ctx context.Context) (any, error) {
		v, err := envoy.NewNarrow(p.object, p.newReader().fetch, p.loader.Now, wanted).Section(inLoad(ctx), s.name)
		return p.noteLoad(ctx, s.name, v, err)
	})
	if s.parts == nil {
		s.parts = map[string]*store.Thunk{}
	}
	s.parts[key] = t
	return t
}

// live asks a live Envoy for as little as its version can be asked for.
func (r *reader) live(ctx context.Context, request envoy.Request) (*decode.Document, error) {
	p := r.proxy
	if p.loader.WholeDump && request.What == "config_dump" {
		what := envoy.Request{What: request.What}.Asks(false)[0]
		body, err := p.ask(ctx, what)
		return r.document(what, body), err
	}
	knowsMasks, err := p.knowsMasks(ctx)
	switch {
	case err != nil:
		return nil, err
	case !knowsMasks && request.Partial():
		return nil, envoy.ErrRefused
	}
	request.Joined = p.loader.isJoined(request)
	var last error
	for _, what := range request.Asks(knowsMasks) {
		body, err := p.ask(ctx, what)
		var status requests.StatusError
		if err == nil || !errors.As(err, &status) {
			return r.document(what, body), err
		}
		last = err
		empty, retry := request.Refused(status.Status())
		if empty {
			return &decode.Document{Bytes: strings.NewReader(`{"configs":[]}`), Name: request.What, Proxy: p.ID}, nil
		}
		switch {
		case !retry:
			return nil, last
		case request.Partial():
			return nil, envoy.ErrRefused
		}
	}
	return nil, last
}

// isJoined reports whether one answer with several sections is better than one
// answer for each. A dump without endpoints, which has clusters, listeners and
// routes, costs Envoy less than a mask for clusters and one for another of these
// (940 ms against 860 and 250, of an Envoy with 5,000 clusters), and is of one
// moment. A query for a few elements is better served by asking for these.
func (l *Loader) isJoined(request envoy.Request) bool {
	whole := func(s mesh.Section) bool {
		h, ok := l.Reads[s]
		return ok && h.Fields == nil && !h.Few
	}
	switch {
	case request.Partial() || len(request.Wanted.Names)+len(request.Wanted.Patterns) > 0 || !whole(request.Section) || !whole(mesh.Clusters):
		return false
	case request.Section == mesh.Clusters:
		return whole(mesh.Listeners) || whole(mesh.Routes)
	}
	return request.Section == mesh.Listeners || request.Section == mesh.Routes
}

// The first versions that handle masks and patterns safely. An older Envoy may
// crash on one (envoyproxy/envoy#17257, #16774), and is asked for whole dumps.
var (
	istioWithMasks = version.MajorMinor(1, 12)
	envoyWithMasks = version.MajorMinor(1, 20)
)

// knowsMasks reports whether the proxy's Envoy understands masks: by the version
// of Istio that istiod knows, else by asking the Envoy for its own version.
func (p *Proxy) knowsMasks(ctx context.Context) (bool, error) {
	if v, err := version.ParseGeneric(p.Version()); err == nil {
		return v.AtLeast(istioWithMasks), nil
	}
	text := ""
	if p.Identity != nil {
		text = p.Identity.Envoy
	}
	if text == "" {
		body, err := p.ask(ctx, "server_info")
		if err != nil {
			return false, err
		}
		text = envoy.Version(ctx, &decode.Document{Bytes: body, Name: body.Name, Proxy: p.ID})
	}
	v, err := version.ParseGeneric(text)
	return err == nil && v.AtLeast(envoyWithMasks), nil
}

// whyUnreachable returns why the proxy could not be reached before, or nil.
func (p *Proxy) whyUnreachable() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unreachable
}

// noteUnreachable keeps the error of a proxy that could not be reached, so that
// it is not waited for again, and returns err. An HTTP status, a missing answer
// or a failed program in the pod show that the proxy was reached.
func (p *Proxy) noteUnreachable(ctx context.Context, err error) error {
	var status requests.StatusError
	var ran interface {
		error
		Answered() bool // the program in the pod ran
	}
	if err == nil || errors.As(err, &status) || errors.As(err, &ran) && ran.Answered() || errors.Is(err, fs.ErrNotExist) || requests.IsEnd(ctx, err) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unreachable = cmp.Or(p.unreachable, err)
	return err
}
