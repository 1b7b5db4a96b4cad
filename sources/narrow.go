package sources

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
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// mostNarrow is how many times a section of one proxy is asked for some of its
// elements, before it is loaded whole.
const mostNarrow = 3

// A section is one of a live Envoy's, of which a part can be asked for: some
// of its elements or, where the query looks at no more, some fields of all.
type section struct {
	*store.Thunk // as much of it as the query is known to look at
	row          *row
	name         mesh.Section

	// row.mu guards what follows.
	parts map[string]*store.Thunk // by what was asked for
}

// Narrow gives the elements that are wanted, for a request that costs Envoy
// little. After a few of them the section is better loaded whole.
func (s *section) Narrow(ctx context.Context, h mesh.Hint) (elements []any, ok bool, err error) {
	key := envoy.Key(s.name)
	h = mesh.Hint{By: cmp.Or(h.By, key), Names: ordered(h.Names), Patterns: ordered(h.Patterns)}
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

func ordered(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// part gives the value of the elements wanted; nil when it is not worth
// another one.
func (s *section) part(wanted mesh.Hint) *store.Thunk {
	r := s.row
	r.mu.Lock()
	defer r.mu.Unlock()
	key := strings.Join(wanted.Names, "\x00") + "\x00\x00" + strings.Join(wanted.Patterns, "\x00") // no name has a NUL
	if t := s.parts[key]; t != nil || len(s.parts) >= mostNarrow {
		return t
	}
	t := r.group.Thunk(func(ctx context.Context) (any, error) {
		d := &reader{row: r, documents: map[string]*decode.Document{}}
		v, err := envoy.NewNarrow(r.object, d.fetch, r.m.now, wanted).Section(context.WithValue(ctx, loadKey{}, true), s.name)
		return r.had(ctx, s.name, v, err)
	})
	if s.parts == nil {
		s.parts = map[string]*store.Thunk{}
	}
	s.parts[key] = t
	return t
}

// refused is the error of an answer with another status than 200.
type refused interface {
	error
	Status() (code int, text string)
}

// answered is the error of somebody who may have been reached all the same: of
// a program that was run in the proxy's pod and has failed.
type answered interface {
	error
	Answered() bool
}

// live asks a live Envoy: as little as it understands.
func (d *reader) live(ctx context.Context, request envoy.Request) (*decode.Document, error) {
	r := d.row
	masked, err := r.masked(ctx)
	switch {
	case err != nil:
		return nil, err
	case !masked && request.Partial():
		return nil, envoy.ErrRefused
	}
	request.Joined = r.m.joined(request)
	var last error
	for _, what := range request.Asks(masked) {
		body, err := r.fetch(ctx, what)
		var no refused
		if err == nil || !errors.As(err, &no) {
			return d.document(what, body), err
		}
		last = err
		empty, again := request.Refused(no.Status())
		if empty {
			return &decode.Document{Bytes: strings.NewReader(`{"configs":[]}`), Name: request.What, Proxy: r.id}, nil
		}
		switch {
		case !again:
			return nil, last
		case request.Partial():
			return nil, envoy.ErrRefused
		}
	}
	return nil, last
}

// joined tells whether one answer serves several sections better than one for
// each. A dump without endpoints, which holds clusters, listeners and routes,
// costs Envoy less than two masks that cut clusters and one more of these out
// of it (940 ms against 860 and 250, of an Envoy with 5,000 clusters), and is of
// one moment. But whoever looks for a few of them asks for these.
func (m *Mesh) joined(request envoy.Request) bool {
	whole := func(s mesh.Section) bool {
		h, ok := m.options.Looks[s]
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

// The first versions that know masks and patterns well: an Envoy before them
// may end on one (envoyproxy/envoy#17257, #16774), and is asked for whole dumps.
var (
	masksOfIstio = version.MajorMinor(1, 12)
	masksOfEnvoy = version.MajorMinor(1, 20)
)

// masked tells whether the proxy's Envoy understands masks: by Istio's version
// as the proxy has told it to Pilot, else by asking the Envoy for its own.
func (r *row) masked(ctx context.Context) (bool, error) {
	if v, err := version.ParseGeneric(r.version()); err == nil {
		return v.AtLeast(masksOfIstio), nil
	}
	if r.who != nil && r.who.Envoy != "" {
		v, err := version.ParseGeneric(r.who.Envoy)
		return err == nil && v.AtLeast(masksOfEnvoy), nil
	}
	body, err := r.fetch(ctx, "server_info")
	if err != nil {
		return false, err
	}
	doc := &decode.Document{Bytes: body, Name: body.Name, Proxy: r.id}
	v, err := version.ParseGeneric(envoy.Version(ctx, doc))
	return err == nil && v.AtLeast(masksOfEnvoy), nil
}

// gone tells why the proxy can't be reached, if that is known.
func (r *row) gone() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unreachable
}

// down keeps why a proxy could not be reached: it isn't waited for again. An
// answer that it did give, or doesn't have, is another matter.
func (r *row) down(ctx context.Context, err error) error {
	var no refused
	var ran answered
	if err == nil || errors.As(err, &no) || errors.As(err, &ran) && ran.Answered() || errors.Is(err, fs.ErrNotExist) || ended(ctx, err) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unreachable = cmp.Or(r.unreachable, err)
	return err
}

// alive tells whether the proxy's answers come from a live mesh.
func (r *row) alive() bool {
	if len(r.places) > 0 {
		return slices.ContainsFunc(r.places, func(p place) bool { return p.realm.alive() })
	}
	return r.home.alive()
}

// alive tells whether answers of the realm are asked for as they are needed,
// not recorded.
func (r *realm) alive() bool { return r.kind == transport.KindLive }
