package inventory

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A Pilot is one istiod and its answers about the proxies that are connected to
// it.
type Pilot struct {
	ID      string // the istiod's id, in the form pod.namespace
	Cluster *requests.Cluster

	listing         *listing
	status          []istiod.Status // the connections that syncz lists
	clients         []istiod.Client // the clients that adsz or the list of connections contains
	haveSyncz       bool
	haveConnections bool // true if the field clients was read
	connectionsOnly bool // true if the field clients has only ids and times, which adsz would complete
	moreElsewhere   bool // true if the istiod also has connections from namespaces outside the scope
	links           map[string]*Link
	adsz            *store.Shared[map[string]*istiod.Client] // the clients that adsz lists, by connection id
}

// Pod returns the istiod's pod, or nil if the API server doesn't list it.
func (p *Pilot) Pod() *kube.Pod { return p.listing.pods[p.ID] }

// ClusterID returns the cluster ID that Istio uses for the istiod's cluster, or
// "" if it isn't known.
func (p *Pilot) ClusterID() string { return p.listing.clusterID }

// answered reports whether the istiod answered a request about its connections.
func (p *Pilot) answered() bool { return p.haveSyncz || p.haveConnections }

// ConnectedProxies returns the number of proxies that are connected to the
// istiod, as an int. It returns nil if istiod gave no answer. If the scope is
// one namespace, the number is lazy, because another request is needed to count
// the connections from other namespaces.
func (p *Pilot) ConnectedProxies() any {
	switch {
	case !p.answered():
		return nil
	case !p.connectionsOnly || !p.moreElsewhere:
		return len(p.links)
	}
	return mesh.Later(func(ctx context.Context) (any, error) {
		all, err := p.adsz.Get(ctx)
		ids := map[string]bool{}
		for _, c := range all {
			if istiod.IsProxy(c, nil) {
				ids[c.ID] = true
			}
		}
		return len(ids), err
	})
}

// sortedPilots returns all istiods, sorted by name and namespace.
func sortedPilots(listings []*listing) (all []*Pilot) {
	for _, l := range listings {
		all = append(all, l.pilots...)
	}
	slices.SortStableFunc(all, func(a, b *Pilot) int {
		aName, aNamespace := SplitID(a.ID)
		bName, bNamespace := SplitID(b.ID)
		return cmp.Or(cmp.Compare(aName, bName), cmp.Compare(aNamespace, bNamespace))
	})
	return all
}

// readConnections reads which proxies are connected to an istiod. From a live
// istiod it requests the list of connections, which has one line per
// connection. adsz also lists the resources that each connection watches, which
// takes 27 kB per connection in a mesh of a thousand services. So
// readConnections reads adsz only if there is no list of connections (in a
// snapshot, or from an old istiod), or if no pods are known from which the
// proxy of a connection could be found.
func (r *Reader) readConnections(ctx context.Context, p *Pilot, faults *faultList) error {
	if !p.Cluster.IsLive() || !p.Cluster.HasAPIServer() {
		return r.readADSZ(ctx, p, faults)
	}
	q := requests.Request{Cluster: p.Cluster, To: requests.Pilot, Name: p.ID, What: "connections"}
	body, err := r.Ask(ctx, q)
	if requests.IsNotFound(err) {
		return r.readADSZ(ctx, p, faults)
	}
	if err == nil {
		p.connectionsOnly = true
		p.clients, err = readClients(ctx, body)
	}
	p.haveConnections = err == nil
	if ns := r.Scope.Namespace; ns != "" { // restrict the list of connections to this namespace, as syncz is
		all := len(p.clients)
		p.clients = slices.DeleteFunc(p.clients, func(c istiod.Client) bool {
			_, namespace := SplitID(c.ID)
			return namespace != ns
		})
		p.moreElsewhere = len(p.clients) < all
	}
	return r.noteFault(ctx, faults, q, err)
}

// readADSZ reads adsz, which contains the metadata that an istiod's clients
// sent. If that fails, the clients that were read before remain.
func (r *Reader) readADSZ(ctx context.Context, p *Pilot, faults *faultList) error {
	ok, err := r.readPart(ctx, faults, requests.Request{Cluster: p.Cluster, To: requests.Pilot, Name: p.ID, What: "adsz"}, func(body *transport.Body) error {
		clients, err := readClients(ctx, body)
		if err == nil {
			p.clients, p.connectionsOnly = clients, false
		}
		return err
	})
	p.haveConnections = p.haveConnections || ok
	return err
}

func readClients(ctx context.Context, body *transport.Body) ([]istiod.Client, error) {
	doc := &decode.Document{Bytes: body, Name: body.Name}
	clients, err := istiod.ReadClients(ctx, doc)
	return clients, doc.Named(err)
}

// readAllADSZ reads adsz of several istiods concurrently.
func (r *Reader) readAllADSZ(ctx context.Context, pilots []*Pilot, faults *faultList) error {
	var group errgroup.Group
	for _, p := range pilots {
		group.Go(func() error { return r.readADSZ(ctx, p, faults) })
	}
	return group.Wait()
}

// newADSZ returns the clients of an istiod by connection id. The value reads
// them from adsz at its first use.
func (r *Reader) newADSZ(p *Pilot) *store.Shared[map[string]*istiod.Client] {
	return store.NewShared(r.Store, func(ctx context.Context) (map[string]*istiod.Client, error) {
		body, err := r.Ask(ctx, requests.Request{Cluster: p.Cluster, To: requests.Pilot, Name: p.ID, What: "adsz"})
		var all []istiod.Client
		if err == nil {
			all, err = readClients(ctx, body)
		}
		if err != nil {
			return nil, r.Fail(ctx, &mesh.Fault{Subject: p.ID, Section: "adsz", Err: err})
		}
		by := make(map[string]*istiod.Client, len(all))
		for i := range all {
			by[all[i].Connection] = &all[i]
		}
		return by, nil
	})
}

// synczNamesAll reports whether syncz contains the cluster and the version of
// every client. If it doesn't, these have to be read from adsz.
func (p *Pilot) synczNamesAll() bool {
	named := map[string]bool{}
	for i := range p.status {
		s := &p.status[i]
		if istiod.IsProxy(nil, s) && (s.ClusterID == "" || s.Version == "") {
			return false
		}
		named[s.ID] = true
	}
	for i := range p.clients {
		if !named[p.clients[i].ID] {
			return false
		}
	}
	return len(named) > 0 || !p.moreElsewhere // with no clients at all, the ID of the istiod's cluster isn't known
}

// A Link is a proxy's connection to an istiod. It has the proxy's status from
// syncz, and the metadata that the proxy sent. One of the two may be nil.
type Link struct {
	Pilot  *Pilot
	Status *istiod.Status

	id     string // the id of the proxy
	client *istiod.Client
}

// connect creates the links of the proxies that an istiod lists, by id. A proxy
// that has just reconnected may be listed twice; then the later connection
// counts.
func (p *Pilot) connect() {
	p.links = map[string]*Link{}
	of := func(id string) *Link {
		l := p.links[id]
		if l == nil {
			l = &Link{id: id, Pilot: p}
			p.links[id] = l
		}
		return l
	}
	for i := range p.clients {
		c := &p.clients[i]
		if l := of(c.ID); l.client == nil || c.ConnectedAt.After(l.client.ConnectedAt) {
			l.client = c
		}
	}
	for i := range p.status {
		s := &p.status[i]
		if l := of(s.ID); l.Status == nil || lastSent(s).After(lastSent(l.Status)) {
			l.Status = s
		}
	}
	for id, l := range p.links {
		if !istiod.IsProxy(l.self(), l.Status) {
			delete(p.links, id)
		}
	}
}

// self returns the metadata that the proxy sent, or nil if only its connection
// is known.
func (l *Link) self() *istiod.Client {
	if l == nil || l.Pilot.connectionsOnly {
		return nil
	}
	return l.client
}

func (l *Link) clusterID() string {
	if c := l.self(); c != nil && c.ClusterID != "" {
		return c.ClusterID
	}
	if l.Status != nil {
		return l.Status.ClusterID
	}
	return ""
}

// Query returns the part of a URL that selects the proxy in a request to its
// istiod. A snapshot stores the answer under the proxy's id. A live istiod
// selects the first connection whose id contains the given text, so only a
// complete connection id is unambiguous.
func (l *Link) Query() string {
	if !l.Pilot.Cluster.IsLive() {
		return "proxyID=" + l.id
	}
	id := l.id
	if l.client != nil && l.client.Connection != "" {
		id = l.client.Connection
	}
	return "proxyID=" + url.QueryEscape(id)
}

// ConnectedAt returns when the proxy connected, or the zero time if that isn't
// known or l is nil.
func (l *Link) ConnectedAt() time.Time {
	if l == nil || l.client == nil {
		return time.Time{}
	}
	return l.client.ConnectedAt
}

// compareLinks orders the links of one proxy to several istiods. The first link
// is to the istiod to which the proxy connected last or, if these times are
// equal, to the one that pushed last. If those are equal too, the istiods'
// names decide.
func compareLinks(a, b *Link) int {
	return cmp.Or(a.ConnectedAt().Compare(b.ConnectedAt()), lastSent(a.Status).Compare(lastSent(b.Status)),
		cmp.Compare(b.Pilot.ID, a.Pilot.ID))
}

func lastSent(s *istiod.Status) time.Time {
	var last time.Time
	if s == nil {
		return last
	}
	for i := range s.Types {
		if t := s.Types[i].SentAt; t.After(last) {
			last = t
		}
	}
	return last
}
