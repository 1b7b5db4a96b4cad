package sources

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/redact"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// pilotObjects makes the istiods' objects, by name.
func (m *Mesh) pilotObjects(scenes []*scene) []any {
	var all []*pilot
	pods := map[*pilot]*scene{}
	for _, s := range scenes {
		for _, p := range s.pilots {
			all, pods[p] = append(all, p), s
		}
	}
	slices.SortStableFunc(all, func(a, b *pilot) int {
		aName, aNamespace := cut(a.id)
		bName, bNamespace := cut(b.id)
		return cmp.Or(cmp.Compare(aName, bName), cmp.Compare(aNamespace, bNamespace))
	})
	out := make([]any, len(all))
	for i, p := range all {
		out[i] = m.pilotObject(p, pods[p])
	}
	return out
}

func (m *Mesh) pilotObject(p *pilot, s *scene) *mesh.Object {
	name, namespace := cut(p.id)
	f := object.Of(
		"name", name, "namespace", nullable(namespace), "revision", nil, "ip", nil,
		"clusterID", nullable(s.clusterID), "context", nullable(s.realm.context), "connectedProxies", p.connectedProxies(),
		"version", m.pilotVersion(p),
	)
	if pod := s.pods[p.id]; pod != nil {
		f.Set("revision", nullable(pod.Revision))
		f.Set("ip", nullable(pod.IP))
	}
	for _, field := range istiod.Fields() {
		f.Set(field, m.pilotField(p, field))
	}
	return mesh.NewObject("Pilot", nil, f)
}

// pilotVersion is istiod's version; null when it doesn't say, or nobody asked
// it while it could be.
func (m *Mesh) pilotVersion(p *pilot) mesh.Lazy {
	return m.store.Group(nil).Thunk(func(ctx context.Context) (any, error) {
		body, err := m.ask(ctx, question{p.realm, aPilot, p.id, "version"})
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		var text []byte
		if err == nil {
			const most = 4 << 10
			text, err = io.ReadAll(io.NewSectionReader(body, 0, min(body.Size(), most)))
		}
		if err != nil {
			return nil, m.fail(ctx, &mesh.Fault{Subject: p.id, Section: "version", Err: err})
		}
		return nullable(istiod.Version(string(text))), nil
	})
}

// pilotField is a lazy field of an istiod.
func (m *Mesh) pilotField(p *pilot, field string) mesh.Lazy {
	g := m.store.Group(nil)
	return g.Thunk(func(ctx context.Context) (any, error) {
		endpoints := istiod.Endpoints(field)
		body, err := (*transport.Body)(nil), error(nil)
		var endpoint string
		for _, endpoint = range endpoints {
			if body, err = m.ask(ctx, question{p.realm, aPilot, p.id, endpoint}); !errors.Is(err, fs.ErrNotExist) {
				break
			}
		}
		if err == nil {
			doc := &decode.Document{Bytes: body, Name: body.Name, Grew: g.Grew}
			v, e := istiod.Read(ctx, field, doc, redact.Veil(endpoint, ""))
			if e == nil {
				return v, nil
			}
			err = doc.Named(e)
		}
		return nil, m.fail(ctx, &mesh.Fault{Subject: p.id, Section: endpoints[0], Err: err})
	})
}
