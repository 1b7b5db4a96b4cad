package inventory

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/requests"
)

// A Proxy contains the facts about one proxy that istiod, the API server and
// dumps report, so that none of them needs a request to the proxy itself.
// Values that no source contains are empty or nil.
type Proxy struct {
	ID        string // the proxy's id: pod.namespace, or another name if the pod isn't known
	ClusterID string
	Home      *requests.Cluster // the cluster of the proxy's pod; without a pod, the cluster in which the proxy was found

	Link *Link     // the link to the proxy's istiod; nil if no istiod lists the proxy
	Also []*Link   // links to other istiods, the most recent first
	Pod  *kube.Pod // the proxy's pod; nil if no API server lists it
	// the identity in the proxy's dump; set if neither an istiod nor an API
	// server lists the proxy
	Identity *envoy.Identity
	Places   []Place // the clusters and names through which the proxy can be reached

	// AllPilotsAnswered reports whether every istiod has listed its
	// connections. If so, a proxy without a link is not connected; otherwise it
	// may be connected to an istiod that didn't answer.
	AllPilotsAnswered bool
}

// A Place is a cluster through which a proxy can be reached, and the proxy's
// name in that cluster.
type Place struct {
	Cluster *requests.Cluster
	Name    string
}

// Request returns the request for an endpoint of the proxy's admin port, sent
// through this place.
func (p Place) Request(what string) requests.Request {
	return requests.Request{Cluster: p.Cluster, To: requests.Proxy, Name: p.Name, What: what}
}

// AllPlaces returns the places through which the proxy can be reached. If there
// is none, it returns the place at which the proxy is expected: its id in its
// own cluster.
func (p *Proxy) AllPlaces() []Place {
	if p.Places == nil {
		return []Place{{p.Home, p.ID}}
	}
	return p.Places
}

// IsLive reports whether the proxy can be reached in a live cluster.
func (p *Proxy) IsLive() bool {
	return slices.ContainsFunc(p.AllPlaces(), func(at Place) bool { return at.Cluster.IsLive() })
}

// IsDump reports whether the proxy is known only from config dumps that were
// opened without a mesh.
func (p *Proxy) IsDump() bool {
	return len(p.Places) > 0 && !slices.ContainsFunc(p.Places, func(at Place) bool { return !at.Cluster.IsDump() })
}

// Links returns the links to all istiods, the most recent first.
func (p *Proxy) Links() []*Link {
	if p.Link == nil {
		return nil
	}
	return append([]*Link{p.Link}, p.Also...)
}

// Connected returns, as a bool, whether the proxy is connected to an istiod. It
// returns nil if this is unknown because an istiod did not answer.
func (p *Proxy) Connected() any {
	if p.Link == nil && !p.AllPilotsAnswered {
		return nil
	}
	return p.Link != nil
}

// Name returns the name of the proxy's pod.
func (p *Proxy) Name() string {
	name, _ := p.podName()
	return name
}

// Namespace returns the namespace of the proxy's pod.
func (p *Proxy) Namespace() string {
	_, namespace := p.podName()
	return namespace
}

// podName returns the name and the namespace of the pod. It takes them from the
// first of these that is known: the pod, the link, the identity in the proxy's
// dump. Both are empty if a control plane other than Istio has set the node id
// in the dump. If none of them is known, podName splits the id, because a
// proxy's folder in a snapshot is named <pod>.<namespace>.
func (p *Proxy) podName() (name, namespace string) {
	switch who := p.Identity; {
	case p.Pod != nil:
		return p.Pod.Name, p.Pod.Namespace
	case p.Link != nil:
		return SplitID(p.Link.id)
	case who != nil && (who.NodeID != "" || p.Home.IsDump()):
		return who.Name, who.Namespace
	}
	return SplitID(p.ID)
}

// SplitID splits pod.namespace at its last dot, because the name of a pod
// may contain dots, but a namespace can't. The id may also be an address
// with a port. Then the whole address is the name, and there is no
// namespace.
func SplitID(id string) (name, namespace string) {
	if i := strings.LastIndexByte(id, '.'); i >= 0 && !strings.Contains(id, ":") {
		return id[:i], id[i+1:]
	}
	return id, ""
}

// Type returns the proxy's type. It takes the type from syncz, else from the
// pod, else from the proxy's own dump.
func (p *Proxy) Type() string {
	switch {
	case p.Status() != nil && p.Status().Type != "":
		return p.Status().Type
	case p.Pod != nil:
		return p.Pod.Type
	case p.Identity != nil:
		return p.Identity.Type
	}
	return ""
}

// Revision returns the istiod revision that the pod's labels select.
func (p *Proxy) Revision() string {
	if p.Pod != nil {
		return p.Pod.Revision
	}
	s, _ := p.Labels().Get("istio.io/rev").(string)
	return s
}

// Version returns the Istio version of the proxy.
func (p *Proxy) Version() string {
	var v string
	if s := p.Status(); s != nil {
		v = s.Version
	}
	if c := p.Link.self(); c != nil {
		v = cmp.Or(v, c.Version)
	}
	if p.Identity != nil {
		v = p.Identity.Version
	}
	return v
}

// IPs returns the IP addresses of the proxy, the primary one first.
func (p *Proxy) IPs() []string {
	switch who := p.Identity; {
	case p.Pod != nil && len(p.Pod.IPs) > 0:
		return p.Pod.IPs
	case p.Link.self() != nil:
		return p.Link.self().IPs
	case who != nil && len(who.IPs) > 0:
		return who.IPs
	case who != nil && who.IP != "":
		return []string{who.IP}
	}
	return nil
}

// firstKnown returns a value from the first available source: the proxy's pod,
// the metadata that it sent to istiod, or the identity in its dump.
func firstKnown[T any](p *Proxy, pod func(*kube.Pod) T, client func(*istiod.Client) T, identity func(*envoy.Identity) T) (none T) {
	switch {
	case p.Pod != nil:
		return pod(p.Pod)
	case p.Link.self() != nil:
		return client(p.Link.self())
	case p.Identity != nil:
		return identity(p.Identity)
	}
	return none
}

// Node returns the Kubernetes node that the proxy runs on.
func (p *Proxy) Node() string {
	return firstKnown(p, func(p *kube.Pod) string { return p.Node }, func(c *istiod.Client) string { return c.Node }, func(i *envoy.Identity) string { return i.Node })
}

// ServiceAccount returns the pod's service account.
func (p *Proxy) ServiceAccount() string {
	return firstKnown(p, func(p *kube.Pod) string { return p.ServiceAccount }, func(c *istiod.Client) string { return c.ServiceAccount }, func(i *envoy.Identity) string { return i.ServiceAccount })
}

// Labels returns the pod's labels, or nil if they are unknown.
func (p *Proxy) Labels() *object.Object {
	return firstKnown(p, func(p *kube.Pod) *object.Object { return known(p.Labels) }, func(c *istiod.Client) *object.Object { return known(c.Labels) }, func(i *envoy.Identity) *object.Object { return i.Labels })
}

// Annotations returns the pod's annotations, or nil if they are unknown.
func (p *Proxy) Annotations() *object.Object {
	switch {
	case p.Pod != nil:
		return known(p.Pod.Annotations)
	case p.Identity != nil:
		return p.Identity.Annotations
	}
	return nil
}

// Workload returns the name of the Deployment, or other controller, that
// created the pod.
func (p *Proxy) Workload() string {
	if c := p.Link.self(); c != nil && c.Workload != "" {
		return c.Workload
	}
	switch {
	case p.Pod != nil:
		return p.Pod.Workload
	case p.Identity != nil:
		return p.Identity.Workload
	}
	return ""
}

// Locality returns the locality that the proxy reports, as {region, zone,
// subZone}, or nil. Among istiod's endpoints, only adsz contains it, so the
// value is lazy if adsz wasn't read yet.
func (p *Proxy) Locality() any {
	l := p.Link
	switch {
	case l != nil && l.Pilot.connectionsOnly:
		return mesh.Later(func(ctx context.Context) (any, error) {
			all, err := l.Pilot.adsz.Get(ctx)
			// the proxy has disconnected since the list of connections was read
			if err != nil || l.client == nil || all[l.client.Connection] == nil {
				return nil, err
			}
			return all[l.client.Connection].Locality.OrNull(), nil
		})
	case l.self() != nil:
		return l.self().Locality.OrNull()
	case p.Identity != nil:
		return p.Identity.Locality.OrNull()
	}
	return nil
}

// Status returns the state of the proxy in syncz, or nil if no syncz
// contains it.
func (p *Proxy) Status() *istiod.Status {
	if p.Link == nil {
		return nil
	}
	return p.Link.Status
}

// known returns an empty object in place of nil, because nil would mean that
// the value is unknown. If the API server lists a pod without labels, it is
// certain that the pod has none.
func known(o *object.Object) *object.Object {
	if o == nil {
		return object.New(0)
	}
	return o
}
