package sources

import (
	"cmp"
	"context"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/store"
)

// A row is one proxy: what is known of it before it is asked itself.
type row struct {
	m         *Mesh
	id        string
	clusterID string
	home      *realm // where its pod is, or would be
	asked     bool   // every Pilot was asked who is connected

	link *link           // nil: no Pilot knows it
	also []*link         // to other Pilots, the freshest first
	pod  *kube.Pod       // nil: Kubernetes doesn't know it
	who  *envoy.Identity // set where neither does

	places []place // where it can be asked
	object *mesh.Object
	group  *store.Group

	mu          sync.Mutex
	reader      *reader
	desired     *mesh.Object
	unreachable error // of a live proxy that was asked

	begun map[mesh.Section]bool // that were asked for whole; guarded by the mesh's mu
}

// A place is where a proxy's answers can be had, and under which name.
type place struct {
	realm *realm
	name  string
}

// mostFields is room for the fields of a proxy of any type.
const mostFields = 56

// hang makes the proxy's object. Nothing in it is asked for.
func (r *row) hang() {
	r.group = r.m.store.Group(r.forget)
	f := object.New(mostFields)
	f.Set("id", r.id)
	f.Set("name", nullable(r.name()))
	f.Set("namespace", nullable(r.namespace()))
	f.Set("type", nullable(r.kind()))
	f.Set("clusterID", nullable(r.clusterID))
	f.Set("context", nullable(r.home.context))
	f.Set("pilot", nil)
	f.Set("pilots", nil)
	f.Set("revision", nullable(r.revision()))
	f.Set("version", nullable(r.version()))
	f.Set("ip", nil)
	f.Set("ips", nil)
	f.Set("node", nullable(r.node()))
	f.Set("labels", orNull(r.labels()))
	f.Set("annotations", orNull(r.annotations()))
	f.Set("workload", nullable(r.workload()))
	f.Set("serviceAccount", nullable(r.serviceAccount()))
	f.Set("locality", r.locality())
	f.Set("connected", r.connected())
	f.Set("connectedAt", instant(r.link.connectedAt()))
	f.Set("ready", nil)
	if r.asked { // else it may be one that was not asked
		f.Set("pilots", []any{})
	}
	if r.link != nil {
		var all []string
		for _, l := range append([]*link{r.link}, r.also...) {
			name, _ := cut(l.pilot.id)
			all = append(all, name)
		}
		f.Set("pilot", all[0])
		f.Set("pilots", texts(all))
	}
	if ips := r.ips(); len(ips) > 0 {
		f.Set("ip", ips[0])
		f.Set("ips", texts(ips))
	}
	if r.pod != nil {
		f.Set("ready", r.pod.Ready)
	}
	r.hangSync(f)
	r.object = mesh.NewObject("Proxy", nil, f)
	for _, s := range mesh.SectionsOf(r.kind()) {
		f.Set(string(s.Name), r.section(s.Name))
	}
	if r.kind() != mesh.ZTunnel { // whose dump doesn't say it
		f.Set("nodeID", r.nodeID())
	}
}

// nodeID is what the proxy's control plane calls its node. Nothing keeps two
// proxies from having the same.
func (r *row) nodeID() any {
	if r.who != nil {
		return nullable(r.who.NodeID)
	}
	return r.group.Thunk(func(ctx context.Context) (any, error) {
		v, err := r.reading().section(context.WithValue(ctx, loadKey{}, true), mesh.Bootstrap)
		if v, err = r.had(ctx, mesh.Bootstrap, v, err); err != nil {
			return nil, err
		}
		node, err := mesh.Get(ctx, v, "node")
		if err != nil {
			return nil, err
		}
		return mesh.Get(ctx, node, "id")
	})
}

// connected tells whether a Pilot knows the proxy; null when that can't be
// told, because not every Pilot could be asked.
func (r *row) connected() any {
	if r.link != nil {
		return true
	}
	if r.asked {
		return false
	}
	return nil
}

// cut parts pod.namespace, which has to be known to be one. A pod's name may have dots in it, a namespace's not.
// An address, which has a port, is a name of its own.
func cut(id string) (name, namespace string) {
	if strings.Contains(id, ":") {
		return id, ""
	}
	if i := strings.LastIndexByte(id, '.'); i >= 0 {
		return id[:i], id[i+1:]
	}
	return id, ""
}

// called gives the pod and its namespace. A node's id says neither, unless it
// was Istio that wrote it. Of a folder of a snapshot whose dump doesn't say
// whose it is, the layout does: <pod>.<namespace>.
func (r *row) called() (name, namespace string) {
	switch {
	case r.pod != nil:
		return r.pod.Name, r.pod.Namespace
	case r.link != nil:
		return cut(r.link.id)
	case r.who != nil && (r.who.NodeID != "" || r.home.lone()):
		return r.who.Name, r.who.Namespace
	}
	return cut(r.id)
}

func (r *row) name() string {
	name, _ := r.called()
	return name
}

func (r *row) namespace() string {
	_, namespace := r.called()
	return namespace
}

// kind is the proxy's type: as its Pilot says, else as its pod looks.
func (r *row) kind() string {
	if r.link != nil && r.link.status != nil && r.link.status.Type != "" {
		return r.link.status.Type
	}
	if r.pod != nil {
		return r.pod.Type
	}
	if r.who != nil {
		return r.who.Type
	}
	return ""
}

func (r *row) revision() string {
	if r.pod != nil {
		return r.pod.Revision
	}
	s, _ := r.labels().Get("istio.io/rev").(string)
	return s
}

func (r *row) version() string {
	var v string
	if l := r.link; l != nil {
		if l.status != nil {
			v = l.status.Version
		}
		if c := l.said(); c != nil {
			v = cmp.Or(v, c.Version)
		}
	}
	if r.who != nil {
		v = r.who.Version
	}
	return v
}

func (r *row) ips() []string {
	switch {
	case r.pod != nil && len(r.pod.IPs) > 0:
		return r.pod.IPs
	case r.link.said() != nil:
		return r.link.said().IPs
	case r.who != nil && len(r.who.IPs) > 0:
		return r.who.IPs
	case r.who != nil && r.who.IP != "":
		return []string{r.who.IP}
	}
	return nil
}

func (r *row) node() string {
	switch {
	case r.pod != nil:
		return r.pod.Node
	case r.link.said() != nil:
		return r.link.said().Node
	case r.who != nil:
		return r.who.Node
	}
	return ""
}

// labels are the pod's; of a proxy without a pod, what it says itself.
func (r *row) labels() *object.Object {
	switch {
	case r.pod != nil:
		return known(r.pod.Labels)
	case r.link.said() != nil:
		return known(r.link.said().Labels)
	case r.who != nil:
		return r.who.Labels
	}
	return nil
}

func (r *row) annotations() *object.Object {
	switch {
	case r.pod != nil:
		return known(r.pod.Annotations)
	case r.who != nil:
		return r.who.Annotations
	}
	return nil
}

func (r *row) workload() string {
	if c := r.link.said(); c != nil && c.Workload != "" {
		return c.Workload
	}
	switch {
	case r.pod != nil:
		return r.pod.Workload
	case r.who != nil:
		return r.who.Workload
	}
	return ""
}

func (r *row) serviceAccount() string {
	switch {
	case r.pod != nil:
		return r.pod.ServiceAccount
	case r.link.said() != nil:
		return r.link.said().ServiceAccount
	case r.who != nil:
		return r.who.ServiceAccount
	}
	return ""
}

// locality is where the proxy says that it is. Only adsz has it.
func (r *row) locality() any {
	switch {
	case r.link != nil && r.link.pilot.brief:
		l := r.link
		return mesh.Later(func(ctx context.Context) (any, error) {
			all, err := l.pilot.adsz.Get(ctx)
			if err != nil || l.client == nil || all[l.client.Connection] == nil { // gone meanwhile
				return nil, err
			}
			return orNull(all[l.client.Connection].Locality), nil
		})
	case r.link.said() != nil:
		return orNull(r.link.said().Locality)
	case r.who != nil:
		return orNull(r.who.Locality)
	}
	return nil
}

// status is what syncz says of the proxy; nil when none does.
func (r *row) status() *istiod.Status {
	if r.link == nil {
		return nil
	}
	return r.link.status
}

// hangSync sets the words at once and the rest, which is much, when it is
// looked at.
func (r *row) hangSync(f *object.Object) {
	status := r.status()
	for _, t := range mesh.SyncTypes() {
		f.Set(t.Key, status.Word(t.Key))
	}
	f.Set("sync", mesh.Later(func(context.Context) (any, error) { return status.Sync(r.m.now), nil }))
}

// known tells an empty object from one that isn't known.
func known(m *object.Object) *object.Object {
	if m == nil {
		return object.New(0)
	}
	return m
}

// orNull gives null for an object that isn't known.
func orNull(m *object.Object) any {
	if m == nil {
		return nil
	}
	return m
}

func texts(all []string) []any {
	out := make([]any, len(all))
	for i, s := range all {
		out[i] = s
	}
	return out
}
