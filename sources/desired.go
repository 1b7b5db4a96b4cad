package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/mesh"
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
		f := map[string]any{}
		for _, s := range mesh.Sections() {
			if s.Desired {
				f[string(s.Name)] = d.section(s.Name)
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
		v, err := d.read(ctx, s, d.dump)
		if err != nil && s == mesh.Endpoints && !ended(ctx, err) {
			// Pilot's dump holds endpoints only when it was asked for them.
			if all, e := d.read(ctx, s, d.endpoints); e == nil {
				return all, nil
			}
		}
		if err != nil {
			return nil, m.fail(ctx, &mesh.Fault{Proxy: d.row.id, Section: "desired." + string(s), Err: err})
		}
		return v, nil
	})
}

// read reads a section of a dump. Each section has a reader of its own: they
// share the bytes, and a look for its part costs little.
func (d *desire) read(ctx context.Context, s mesh.Section, dump func(context.Context) (*decode.Document, error)) (any, error) {
	doc, err := dump(ctx)
	if err != nil {
		return nil, err
	}
	fetch := func(context.Context, envoy.Request) (*decode.Document, error) { return doc, nil }
	return envoy.NewDump(d.object, fetch, d.row.m.now).Section(ctx, s)
}

func (d *desire) dump(ctx context.Context) (*decode.Document, error) {
	return d.document(ctx, "config_dump")
}

func (d *desire) document(ctx context.Context, endpoint string) (*decode.Document, error) {
	p := d.row.link.pilot
	body, err := d.row.m.ask(ctx, question{p.realm, aPilot, p.id, endpoint + "?" + d.row.link.query()})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.id, err)
	}
	return &decode.Document{Bytes: body, Name: body.Name, Proxy: d.row.id, Grew: d.group.Grew, Twins: d.row.twins(d.group)}, nil
}

// endpoints makes a dump of the answer of edsz, which is the bare resources.
func (d *desire) endpoints(ctx context.Context) (*decode.Document, error) {
	doc, err := d.document(ctx, "edsz")
	if err != nil {
		return nil, err
	}
	const tag = 1
	var out bytes.Buffer
	out.WriteString(`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.EndpointsConfigDump","dynamicEndpointConfigs":[`)
	each := &decode.Node{Walk: true, Elem: &decode.Node{Walk: true, Visit: tag}}
	root := &decode.Node{Walk: true, Fields: []decode.Field{{Name: "configs", Node: each}}}
	first := true
	_, err = doc.Pass(ctx, 0, -1, nil, root, func(_ int, _ any, off, end int64) error {
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.WriteString(`{"endpointConfig":`)
		if _, err := io.Copy(&out, io.NewSectionReader(doc.Bytes, off, end-off)); err != nil {
			return err
		}
		out.WriteByte('}')
		return nil
	})
	if err != nil {
		return nil, doc.Named(err)
	}
	out.WriteString(`]}]}`)
	d.group.Grew(int64(out.Len()))
	doc.Bytes = bytes.NewReader(out.Bytes())
	return doc, nil
}
