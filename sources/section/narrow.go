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

// mostNarrow limits how many requests for some elements of one section are sent
// to a proxy. After that many, the section is loaded whole.
const mostNarrow = 3

// A liveSection loads one section of a live Envoy, either whole or in part. A part
// contains some of the elements or, if the query reads nothing else, some fields
// of all elements.
type liveSection struct {
	section
	parts map[string]*store.Thunk // the loaded parts, by the requested names and patterns; guarded by the proxy's mu
}

// Narrow returns the elements that h selects, by a request that costs Envoy
// little. ok is false if there is no such request for the section, or if so
// many parts were requested that loading the whole section is cheaper.
func (s *liveSection) Narrow(ctx context.Context, h mesh.Hint) (elements []any, ok bool, err error) {
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

// part returns the thunk that loads the wanted elements, or nil if the section
// should be loaded whole.
func (s *liveSection) part(wanted mesh.Hint) *store.Thunk {
	p := s.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	// the names are separated by NUL, which no name contains
	key := strings.Join(wanted.Names, "\x00") + "\x00\x00" + strings.Join(wanted.Patterns, "\x00")
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

// live sends the smallest request that the version of a live Envoy supports.
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

// isJoined reports whether one request for several sections is better than one
// request per section. A dump without endpoints contains clusters, listeners and
// routes. It costs Envoy less than one mask for clusters and another for
// listeners or routes (940 ms, against 860 and 250 ms, for an Envoy with 5,000
// clusters), and all its sections are from the same moment. For a query that
// reads only a few elements, separate requests for these elements are better.
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

// These are the first Envoy versions that handle masks and patterns safely. An
// older Envoy may crash on them (envoyproxy/envoy#17257, #16774), so it only
// gets requests for whole dumps.
var (
	istioWithMasks = version.MajorMinor(1, 12)
	envoyWithMasks = version.MajorMinor(1, 20)
)

// knowsMasks reports whether the proxy's Envoy supports masks in config_dump. It
// decides by the Istio version that istiod reports. If istiod reports none, it
// requests the version from Envoy.
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

// whyUnreachable returns the error of an earlier attempt to reach the proxy, or
// nil.
func (p *Proxy) whyUnreachable() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unreachable
}

// noteUnreachable returns err. It also stores err if the proxy could not be
// reached, so that later requests fail at once. An HTTP status, a missing
// answer or a failed program in the pod show that the proxy was reached.
func (p *Proxy) noteUnreachable(ctx context.Context, err error) error {
	var status requests.StatusError
	var ran interface {
		error
		Answered() bool // reports whether the program in the pod ran
	}
	if err == nil || errors.As(err, &status) || errors.As(err, &ran) && ran.Answered() || errors.Is(err, fs.ErrNotExist) || requests.IsEnd(ctx, err) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unreachable = cmp.Or(p.unreachable, err)
	return err
}
