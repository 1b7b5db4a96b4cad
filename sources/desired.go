package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// Desired gives what Pilot would send to a proxy of the mesh: an object of
// kind Desired whose sections have the shapes of the proxy's own, and load when
// they are looked at. It hangs nowhere in the document, because to look into it
// makes istiod compute a push.
func (m *Mesh) Desired(ctx context.Context, proxy *mesh.Object) (*mesh.Object, error) {
	out, err := m.outline.Get(ctx)
	if err != nil {
		return nil, err
	}
	r := out.rows[proxy]
	if r == nil {
		return nil, errors.New("desired: not a proxy of this mesh")
	}
	switch {
	case r.kind() == mesh.ZTunnel:
		err = errors.New("a ztunnel is sent workloads, not sections of an Envoy")
	case r.link == nil && !r.asked:
		err = errors.New("not every Pilot could be asked, and of the others none knows this proxy")
	case r.link == nil:
		err = errors.New("no Pilot knows this proxy")
	}
	if err != nil {
		return nil, m.fail(ctx, &mesh.Fault{Proxy: r.id, Section: "desired", Err: err})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.desired == nil {
		d := &desire{row: r, group: m.store.Group(nil)}
		f := object.New(0)
		for _, s := range mesh.Sections() {
			if s.Desired {
				f.Set(string(s.Name), d.section(s.Name))
			}
		}
		d.object = mesh.NewObject("Desired", proxy, f)
		r.desired = d.object
	}
	return r.desired, nil
}

// A desire reads what a Pilot would send to a proxy.
type desire struct {
	row    *row
	group  *store.Group
	object *mesh.Object // what it is read into; the sections' elements are its
}

func (d *desire) section(s mesh.Section) mesh.Lazy {
	return d.group.Thunk(func(ctx context.Context) (any, error) {
		m := d.row.m
		v, err := d.read(ctx, s, d.row.request(s))
		if err != nil && s == mesh.Endpoints && !ended(ctx, err) {
			// Pilot's dump holds endpoints only when it was asked for them.
			if all, e := d.read(ctx, s, "edsz?"+d.row.link.query()); e == nil {
				return all, nil
			}
		}
		if err != nil {
			return nil, m.fail(ctx, &mesh.Fault{Proxy: d.row.id, Section: "desired." + string(s), Err: err})
		}
		return v, nil
	})
}

// request is how a live Pilot is asked for a section: for all that the query is
// known to look at, at once, and for no more of it than that. A recorded one is
// asked for what was recorded.
func (r *row) request(s mesh.Section) string {
	request := "config_dump?" + r.link.query()
	if !r.link.pilot.realm.alive() {
		return request
	}
	desires := r.m.options.Desires
	if _, known := desires[s]; !known {
		return request + withEndpoints
	}
	var types []string
	for _, p := range mesh.Sections() {
		look, is := desires[p.Name]
		switch {
		case !is || !p.Desired:
			continue
		case look.Fields == nil || slices.Contains(look.Fields, "versionInfo"): // which bare resources haven't
			if _, is := desires[mesh.Endpoints]; is {
				return request + withEndpoints
			}
			return request
		}
		types = append(types, istiod.TypesOf[p.Name])
	}
	return request + "&types=" + strings.Join(types, ",")
}

// withEndpoints asks a Pilot's dump for endpoints too.
const withEndpoints = "&include_eds=true"

// read reads a section of a dump. Each section has a reader of its own: they
// share the bytes, and a look for its part costs little.
func (d *desire) read(ctx context.Context, s mesh.Section, request string) (any, error) {
	p := d.row.link.pilot
	body, err := d.row.m.ask(ctx, question{p.realm, aPilot, p.id, request})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.id, err)
	}
	doc := &decode.Document{Bytes: body, Name: body.Name, Proxy: d.row.id, Grew: d.group.Grew, Twins: d.row.twins(d.group)}
	if !strings.HasPrefix(request, "config_dump") || strings.Contains(request, "&types=") {
		if err := d.wrap(ctx, s, doc); err != nil {
			return nil, err
		}
	}
	fetch := func(context.Context, envoy.Request) (*decode.Document, error) { return doc, nil }
	return envoy.NewDump(d.object, fetch, d.row.m.now).Section(ctx, s)
}

// wrap makes a dump of an answer that is bare resources, of those of a section.
// A Pilot from before it knew "types" gives a dump, which stays as it is.
func (d *desire) wrap(ctx context.Context, s mesh.Section, doc *decode.Document) error {
	var out bytes.Buffer
	if err := istiod.Wrap(ctx, &out, s, doc); err != nil {
		return doc.Named(err)
	}
	if out.Len() > 0 {
		d.group.Grew(int64(out.Len()))
		doc.Bytes = bytes.NewReader(out.Bytes())
	}
	return nil
}
