package sources

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/redact"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/section"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// presented is an inventory together with the objects that represent it in the
// document.
type presented struct {
	*inventory.Inventory
	pilots, proxies, faults []any
	byObject                map[*mesh.Object]*section.Proxy
}

// readInventory reads the inventory and creates its objects.
func (m *Mesh) readInventory(ctx context.Context) (*presented, error) {
	all, err := m.reader.Read(ctx)
	if err != nil {
		return nil, err
	}
	out := &presented{Inventory: all, pilots: []any{}, proxies: []any{}, faults: []any{}, byObject: map[*mesh.Object]*section.Proxy{}}
	for _, p := range all.Pilots {
		out.pilots = append(out.pilots, m.pilotObject(p))
	}
	type formKey struct {
		proxyType string
		isLive    bool
	}
	forms := map[formKey]*proxyForm{}
	for _, p := range all.Proxies {
		key := formKey{p.Type(), p.IsLive()}
		form := forms[key]
		if form == nil {
			form = &proxyForm{sections: mesh.RecordedSectionsOf(key.proxyType), types: mesh.SyncTypes(), size: mostFields}
			if key.isLive {
				form.sections = mesh.SectionsOf(key.proxyType)
			}
			forms[key] = form
		}
		o, loader := m.proxyObject(p, form)
		out.proxies = append(out.proxies, o)
		out.byObject[o] = loader
	}
	for _, f := range all.Faults {
		m.RecordLeftOut(f)
		out.faults = append(out.faults, faultObject(f))
	}
	return out, nil
}

// fields returns the fields of the mesh. They are lazy, so reading their names sends
// no request.
func (m *Mesh) fields(taken any) *object.Object {
	contexts := []any{}
	for _, c := range m.clusters {
		if name := any(c.Context); c.Context != "" && !slices.Contains(contexts, name) {
			contexts = append(contexts, name)
		}
	}
	f := object.Of(
		"takenAt", taken,
		"contexts", contexts,
		"pilots", &view{m, func(p *presented) any { return p.pilots }},
		"proxies", &view{m, func(p *presented) any { return p.proxies }},
		"faults", &view{m, func(p *presented) any { return p.faults }},
	)
	for _, l := range kube.Lists() {
		g := m.store.Group(nil)
		f.Set(l.Field, g.Thunk(func(ctx context.Context) (any, error) { return m.list(ctx, l, g) }))
	}
	return f
}

// A view is a lazy field of the mesh whose value comes from the inventory.
type view struct {
	m  *Mesh
	of func(*presented) any
}

// Force reads the inventory and returns the field's value. All lazy fields of the
// mesh share one inventory, which is read only once.
func (v *view) Force(ctx context.Context) (any, error) {
	if v.Pending() {
		if err := mesh.Enter(ctx); err != nil {
			return nil, err
		}
	}
	p, err := v.m.inventory.Get(ctx)
	if err != nil {
		return nil, err
	}
	return v.of(p), nil
}

// Forced returns the value if the inventory was already read.
func (v *view) Forced() (any, bool) {
	p, err, ok := v.m.inventory.Look()
	if !ok || err != nil {
		return nil, false
	}
	return v.of(p), true
}

// Pending reports whether the inventory is still unread.
func (v *view) Pending() bool {
	_, _, ok := v.m.inventory.Look()
	return !ok
}

// Sectional marks a view as a value whose loading sends requests.
func (*view) Sectional() {}

// A proxyForm contains what all proxies of one type share: their fields' names
// and the index of these names.
type proxyForm struct {
	sections []mesh.Part
	types    []mesh.SyncType
	size     int            // the number of fields of each proxy
	first    *object.Object // the fields of the first proxy of the type; the other proxies share its index of keys
}

// mostFields is the initial capacity for the fields of the first proxy of a type. No
// type of proxy has more fields.
const mostFields = 56

// proxyObject creates the object of a proxy and the loader of its sections. The
// fields have the order of mesh.Kinds. It sends no request, because the sections
// are lazy.
func (m *Mesh) proxyObject(p *inventory.Proxy, form *proxyForm) (*mesh.Object, *section.Proxy) {
	f := object.New(form.size)
	o := mesh.NewObject("Proxy", nil, f)
	loader := m.loader.NewProxy(p, o)
	f.Set("id", p.ID)
	f.Set("name", mesh.OrNull(p.Name()))
	f.Set("namespace", mesh.OrNull(p.Namespace()))
	f.Set("type", mesh.OrNull(p.Type()))
	f.Set("clusterID", mesh.OrNull(p.ClusterID))
	f.Set("context", mesh.OrNull(p.Home.Context))
	f.Set("pilot", nil)
	f.Set("pilots", nil)
	f.Set("revision", mesh.OrNull(p.Revision()))
	f.Set("version", mesh.OrNull(p.Version()))
	f.Set("ip", nil)
	f.Set("ips", nil)
	f.Set("node", mesh.OrNull(p.Node()))
	f.Set("labels", p.Labels().OrNull())
	f.Set("annotations", p.Annotations().OrNull())
	f.Set("workload", mesh.OrNull(p.Workload()))
	f.Set("serviceAccount", mesh.OrNull(p.ServiceAccount()))
	f.Set("locality", p.Locality())
	f.Set("connected", p.Connected())
	f.Set("connectedAt", mesh.TimeOrNull(p.Link.ConnectedAt()))
	f.Set("ready", nil)
	// if istiod's answer is missing, pilots stays null: an istiod that didn't
	// answer may be connected to the proxy
	if p.Connected() != nil {
		pilots := []any{}
		for _, l := range p.Links() {
			name, _ := inventory.SplitID(l.Pilot.ID)
			pilots = append(pilots, name)
		}
		f.Set("pilots", pilots)
		if len(pilots) > 0 {
			f.Set("pilot", pilots[0])
		}
	}
	if ips := p.IPs(); len(ips) > 0 {
		all := make([]any, len(ips))
		for i, ip := range ips {
			all[i] = ip
		}
		f.Set("ip", ips[0])
		f.Set("ips", all)
	}
	if p.Pod != nil {
		f.Set("ready", p.Pod.Ready)
	}
	status := p.Status()
	for _, t := range form.types {
		f.Set(t.Key, status.Word(t.Key))
	}
	f.Set("sync", mesh.Later(func(context.Context) (any, error) { return status.Sync(m.now), nil }))
	for _, s := range form.sections {
		f.Set(string(s.Name), loader.Section(s.Name))
	}
	if p.Type() != mesh.ZTunnel { // the dump of a ztunnel doesn't contain a node id
		f.Set("nodeID", loader.NodeID())
	}
	f.ShareIndex(form.first)
	if form.first == nil {
		form.first, form.size = f, f.Len()
	}
	return o, loader
}

// pilotObject creates the object of an istiod.
func (m *Mesh) pilotObject(p *inventory.Pilot) *mesh.Object {
	name, namespace := inventory.SplitID(p.ID)
	f := object.Of(
		"name", name, "namespace", mesh.OrNull(namespace), "revision", nil, "ip", nil,
		"clusterID", mesh.OrNull(p.ClusterID()), "context", mesh.OrNull(p.Cluster.Context), "connectedProxies", p.ConnectedProxies(),
		"version", m.pilotVersion(p),
	)
	if pod := p.Pod(); pod != nil {
		f.Set("revision", mesh.OrNull(pod.Revision))
		f.Set("ip", mesh.OrNull(pod.IP))
	}
	for _, field := range istiod.Fields() {
		f.Set(field, m.pilotField(p, field))
	}
	return mesh.NewObject("Pilot", nil, f)
}

// askPilot sends a request for an endpoint to an istiod.
func (m *Mesh) askPilot(ctx context.Context, p *inventory.Pilot, endpoint string) (*transport.Body, error) {
	return m.Ask(ctx, requests.Request{Cluster: p.Cluster, To: requests.Pilot, Name: p.ID, What: endpoint})
}

// pilotVersion returns istiod's version as a lazy value. The value is null if
// istiod doesn't report a version, or if a snapshot doesn't have it.
func (m *Mesh) pilotVersion(p *inventory.Pilot) mesh.Lazy {
	return m.store.Group(nil).Thunk(func(ctx context.Context) (any, error) {
		body, err := m.askPilot(ctx, p, "version")
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		var text []byte
		if err == nil {
			const most = 4 << 10
			text, err = io.ReadAll(io.NewSectionReader(body, 0, min(body.Size(), most)))
		}
		if err != nil {
			return nil, m.Fail(ctx, &mesh.Fault{Subject: p.ID, Section: "version", Err: err})
		}
		return mesh.OrNull(istiod.Version(string(text))), nil
	})
}

// pilotField returns a lazy field of an istiod. Reading the field sends a request.
func (m *Mesh) pilotField(p *inventory.Pilot, field string) mesh.Lazy {
	g := m.store.Group(nil)
	return g.Thunk(func(ctx context.Context) (any, error) {
		endpoints := istiod.Endpoints(field)
		body, err := (*transport.Body)(nil), error(nil)
		var endpoint string
		for _, endpoint = range endpoints {
			if body, err = m.askPilot(ctx, p, endpoint); !errors.Is(err, fs.ErrNotExist) {
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
		return nil, m.Fail(ctx, &mesh.Fault{Subject: p.ID, Section: endpoints[0], Err: err})
	})
}

// list reads a Kubernetes resource in all contexts, in their order. If only some
// contexts fail, it records their faults and returns the objects of the others.
// If all fail, it returns the first fault as the error.
func (m *Mesh) list(ctx context.Context, l kube.List, g *store.Group) (any, error) {
	all, ok, faults := []any{}, false, []*mesh.Fault(nil)
	for _, c := range m.clusters {
		if c.IsDump() {
			continue
		}
		objects, err := m.listCluster(ctx, c, l, g)
		if err == nil {
			all, ok = append(all, objects...), true
			continue
		}
		if requests.IsEnd(ctx, err) {
			return nil, err
		}
		faults = append(faults, &mesh.Fault{Subject: c.Named("kubernetes", m.clusters), Section: l.Field, Err: err})
	}
	if len(faults) == 0 && !ok {
		faults = append(faults, &mesh.Fault{Subject: "kubernetes", Section: l.Field, Err: errors.New("a config dump says nothing of it")})
	}
	if !ok {
		return nil, m.Fail(ctx, faults[0])
	}
	for _, f := range faults {
		m.RecordLeftOut(f)
	}
	return all, nil
}

// listCluster reads a Kubernetes resource from one cluster.
func (m *Mesh) listCluster(ctx context.Context, c *requests.Cluster, l kube.List, g *store.Group) ([]any, error) {
	q := requests.Request{Cluster: c, To: requests.Kubernetes, What: l.Resource}
	doc, err := m.AskJSON(ctx, q)
	if errors.Is(err, fs.ErrNotExist) && l.Also != "" {
		q.What = l.Also
		doc, err = m.AskJSON(ctx, q)
	}
	if errors.Is(err, fs.ErrNotExist) {
		// the cluster doesn't have this resource type, so there are no such
		// objects
		if c.IsLive() && !c.CannotHave(err) {
			return nil, nil
		}
		return nil, &requests.NoAnswerError{Request: l.Resource, Err: err}
	}
	if err != nil {
		return nil, err
	}
	doc.Grew = g.Grew
	objects, err := kube.Objects(ctx, l, doc, redact.Veil("kubernetes/"+l.Resource, l.Type()))
	return objects, doc.Named(err)
}

// faultObject creates the object of a fault.
func faultObject(f *mesh.Fault) any {
	return mesh.NewObject("Fault", nil, object.Of(
		"proxy", mesh.OrNull(f.Proxy), "subject", mesh.OrNull(f.Subject), "section", mesh.OrNull(f.Section), "message", f.Fact(),
	))
}
