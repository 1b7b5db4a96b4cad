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

// A Proxy is what is known of one proxy before it is asked itself. Values that
// nothing says are empty or nil.
type Proxy struct {
	ID        string // pod.namespace, or what else names it
	ClusterID string
	Home      *requests.Cluster // the cluster of its pod; without a pod, the one that it was found in

	Link     *Link           // to its istiod; nil: no istiod knows it
	Also     []*Link         // to other istiods, the most recent first
	Pod      *kube.Pod       // nil: no API server lists it
	Identity *envoy.Identity // read from its dump, where neither an istiod nor an API server lists it
	Places   []Place         // where it can be asked

	// AllPilotsAnswered says that every istiod listed its connections: without
	// a link, the proxy is not connected.
	AllPilotsAnswered bool
}

// A Place is a cluster that can ask a proxy, and the proxy's name there.
type Place struct {
	Cluster *requests.Cluster
	Name    string
}

// Request returns the request for an endpoint of the proxy at the place.
func (p Place) Request(what string) requests.Request {
	return requests.Request{Cluster: p.Cluster, To: requests.Proxy, Name: p.Name, What: what}
}

// AllPlaces returns the places or, if there is none, the one where the proxy
// would be.
func (p *Proxy) AllPlaces() []Place {
	if p.Places == nil {
		return []Place{{p.Home, p.ID}}
	}
	return p.Places
}

// IsLive reports whether the proxy can be asked in a live cluster.
func (p *Proxy) IsLive() bool {
	return slices.ContainsFunc(p.AllPlaces(), func(at Place) bool { return at.Cluster.IsLive() })
}

// IsDump reports whether only dumps that were given by themselves are known of
// the proxy.
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

// Connected returns whether an istiod knows the proxy, a bool; nil where some
// istiod did not answer.
func (p *Proxy) Connected() any {
	if p.Link == nil && !p.AllPilotsAnswered {
		return nil
	}
	return p.Link != nil
}

// Name returns the pod's name, Namespace its namespace.
func (p *Proxy) Name() string {
	name, _ := p.podName()
	return name
}

// Namespace returns the pod's namespace.
func (p *Proxy) Namespace() string {
	_, namespace := p.podName()
	return namespace
}

// podName returns the pod and its namespace. A node id of another control plane
// than Istio's says neither. A snapshot's folder of a proxy whose dump doesn't
// name it is called <pod>.<namespace>.
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

// SplitID splits pod.namespace. A pod's name may have dots, a namespace has
// none. An address, which has a port, is a name without a namespace.
func SplitID(id string) (name, namespace string) {
	if i := strings.LastIndexByte(id, '.'); i >= 0 && !strings.Contains(id, ":") {
		return id[:i], id[i+1:]
	}
	return id, ""
}

// Type returns the proxy's type: the one that syncz says, else its pod's, else
// its own.
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

// Revision returns the revision of istiod that the pod selects.
func (p *Proxy) Revision() string {
	if p.Pod != nil {
		return p.Pod.Revision
	}
	s, _ := p.Labels().Get("istio.io/rev").(string)
	return s
}

// Version returns the proxy's version of Istio.
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

// IPs returns the proxy's addresses, the primary one first.
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

// firstKnown returns a value of the pod; without a pod, what the proxy says to
// its istiod; without a connection, what its dump says.
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

// Labels returns the pod's labels; nil where they are unknown.
func (p *Proxy) Labels() *object.Object {
	return firstKnown(p, func(p *kube.Pod) *object.Object { return known(p.Labels) }, func(c *istiod.Client) *object.Object { return known(c.Labels) }, func(i *envoy.Identity) *object.Object { return i.Labels })
}

// Annotations returns the pod's annotations; nil where they are unknown.
func (p *Proxy) Annotations() *object.Object {
	switch {
	case p.Pod != nil:
		return known(p.Pod.Annotations)
	case p.Identity != nil:
		return p.Identity.Annotations
	}
	return nil
}

// Workload returns the name of the Deployment or of what else made the pod.
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

// Locality returns {region, zone, subZone} as the proxy says it, or nil. Only
// adsz has it: where that was not read, the value is lazy.
func (p *Proxy) Locality() any {
	l := p.Link
	switch {
	case l != nil && l.Pilot.connectionsOnly:
		return mesh.Later(func(ctx context.Context) (any, error) {
			all, err := l.Pilot.adsz.Get(ctx)
			if err != nil || l.client == nil || all[l.client.Connection] == nil { // disconnected meanwhile
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

// Status returns what syncz says of the proxy; nil where no syncz does.
func (p *Proxy) Status() *istiod.Status {
	if p.Link == nil {
		return nil
	}
	return p.Link.Status
}

// known returns an empty object for nil: a pod that has none is not unknown.
func known(o *object.Object) *object.Object {
	if o == nil {
		return object.New(0)
	}
	return o
}
