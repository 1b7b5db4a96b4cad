package inventory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/sources/ztunnel"
)

// A joiner determines which connections, pods and snapshot folders belong to the same
// proxy.
type joiner struct {
	reader   *Reader
	listings []*listing
	faults   *faultList

	proxies []*Proxy
	byID    map[string][]*Proxy
}

// join returns all proxies, sorted by cluster and id: the proxies that an istiod
// lists, the proxies in pods that no istiod lists, and all others that can be reached.
func (r *Reader) join(ctx context.Context, listings []*listing, faults *faultList) ([]*Proxy, error) {
	j := r.joinKnown(listings, faults)
	if pilots := j.needADSZ(); len(pilots) > 0 {
		if err := r.readAllADSZ(ctx, pilots, faults); err != nil {
			return nil, err
		}
		j = r.joinKnown(listings, faults)
	}
	if err := j.addPlaces(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(j.proxies, func(a, b *Proxy) int {
		return cmp.Or(cmp.Compare(a.ClusterID, b.ClusterID), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Home.Number, b.Home.Number))
	})
	return j.proxies, nil
}

// joinKnown returns a joiner with the proxies that an istiod or an API server lists.
func (r *Reader) joinKnown(listings []*listing, faults *faultList) *joiner {
	j := &joiner{reader: r, listings: listings, faults: faults, byID: map[string][]*Proxy{}}
	for _, l := range listings {
		for _, p := range l.pilots {
			p.connect()
		}
	}
	j.findClusterIDs()
	j.addConnected()
	j.addPods()
	return j
}

// needADSZ returns the istiods whose adsz has to be read, because syncz and the pods
// don't answer one of these questions: whether a client is a proxy, which metadata a
// proxy without a pod has, and which workload a pod without a controller belongs to.
func (j *joiner) needADSZ() (pilots []*Pilot) {
	open := map[*Pilot]bool{}
	for _, p := range j.proxies {
		if p.Link == nil || p.Pod != nil && p.Pod.Type != "" && p.Pod.Workload != p.Pod.Name {
			continue
		}
		for _, l := range p.Links() {
			open[l.Pilot] = true
		}
	}
	for _, l := range j.listings {
		for _, p := range l.pilots {
			if p.connectionsOnly && (open[p] || !p.synczNamesAll()) {
				pilots = append(pilots, p)
			}
		}
	}
	return pilots
}

// eachLink yields all connections, sorted by istiod and proxy id.
func (j *joiner) eachLink(yield func(*listing, *Link) bool) {
	for _, l := range j.listings {
		for _, p := range l.pilots {
			for _, id := range slices.Sorted(maps.Keys(p.links)) {
				if !yield(l, p.links[id]) {
					return
				}
			}
		}
	}
}

// findClusterIDs sets the cluster id of each listing. This is the id that most
// connections of the listing's pods have. If the pods aren't known, it is the id that
// most connections to the listing's istiods have.
func (j *joiner) findClusterIDs() {
	votes := map[*listing]map[string]int{}
	for at, link := range j.eachLink {
		for _, l := range j.listings {
			if l.pods[link.id] == nil && (l != at || l.havePods) {
				continue
			}
			if votes[l] == nil {
				votes[l] = map[string]int{}
			}
			if id := link.clusterID(); id != "" {
				votes[l][id]++
			}
		}
	}
	for l, of := range votes {
		ids := slices.Sorted(maps.Keys(of))
		if len(ids) == 0 {
			continue
		}
		l.clusterID = slices.MaxFunc(ids, func(a, b string) int { return of[a] - of[b] })
	}
}

// clusterIDOf returns the cluster id of a connection. A proxy that was started without
// CLUSTER_ID gets the id of its pod's cluster; installers other than Istio's charts
// may start ztunnels and waypoints that way. The pod's cluster is that of the istiod,
// or else the only cluster with a pod of that name.
func (j *joiner) clusterIDOf(link *Link) string {
	if id := link.clusterID(); id != "" {
		return id
	}
	var at []*listing
	for _, l := range j.listings {
		if l.pods[link.id] == nil {
			continue
		}
		if l.cluster == link.Pilot.Cluster {
			return l.clusterID
		}
		at = append(at, l)
	}
	if len(at) == 1 {
		return at[0].clusterID
	}
	return ""
}

// addConnected adds every proxy that an istiod lists. If several istiods list the same
// proxy, the most recent connection counts.
func (j *joiner) addConnected() {
	type key struct {
		separate      *requests.Cluster
		clusterID, id string
	}
	keyOf := func(l *Link) key { return key{j.separateCluster(l), j.clusterIDOf(l), l.id} }
	all := map[key][]*Link{}
	for _, l := range j.eachLink {
		all[keyOf(l)] = append(all[keyOf(l)], l)
	}
	for _, link := range j.eachLink {
		same := all[keyOf(link)]
		if same == nil { // this is the first connection of the proxy, so add the proxy
			continue
		}
		delete(all, keyOf(link))
		slices.SortStableFunc(same, func(a, b *Link) int { return compareLinks(b, a) })
		p := j.add(link.id, j.clusterIDOf(link))
		p.Link, p.Also = same[0], same[1:]
		separate := j.separateCluster(link)
		for _, l := range j.listings {
			if p.Pod == nil && l.pods[link.id] != nil && l.clusterID == j.clusterIDOf(link) && (separate == nil || separate == l.cluster) {
				p.Pod, p.Home = l.pods[link.id], l.cluster
			}
		}
		if p.Home == nil {
			p.Home = p.Link.Pilot.Cluster
		}
	}
}

// separateCluster returns the cluster of a connection if several clusters have the
// same cluster id, and nil otherwise. Clusters with the same id belong to unrelated
// meshes: by default, the only cluster of every mesh has the id "Kubernetes".
func (j *joiner) separateCluster(link *Link) *requests.Cluster {
	n := 0
	for _, l := range j.listings {
		if l.clusterID == j.clusterIDOf(link) && !l.cluster.IsDump() {
			n++
		}
	}
	if n > 1 {
		return link.Pilot.Cluster
	}
	return nil
}

// addPods adds the proxies in pods that no istiod lists.
func (j *joiner) addPods() {
	for _, l := range j.listings {
		for _, id := range slices.Sorted(maps.Keys(l.pods)) {
			pod := l.pods[id]
			if pod.Type == "" || pod.Over || slices.ContainsFunc(j.byID[id], func(p *Proxy) bool { return p.Pod == pod }) {
				continue
			}
			p := j.add(id, l.clusterID)
			p.Pod, p.Home = pod, l.cluster
		}
	}
}

// addPlaces sets, for each proxy, the clusters and names through which it can
// be reached. If a name belongs to no known proxy, addPlaces adds a proxy.
func (j *joiner) addPlaces(ctx context.Context) error {
	identified := j.identifyAll(ctx)
	var strangers []*stranger
	for _, l := range j.listings {
		for _, name := range l.proxies {
			at := Place{l.cluster, name}
			if !l.cluster.IsDump() {
				if p := j.find(name, l); p != nil {
					p.Places = append(p.Places, at)
					continue
				}
			}
			s := identified[at]
			switch {
			case s.err == nil:
			case requests.IsEnd(ctx, s.err):
				return s.err
			case l.cluster.IsDump():
				j.faults.add(&mesh.Fault{Subject: "config_dump", Err: s.err})
				continue
			default:
				j.faults.add(&mesh.Fault{Proxy: name, Section: "config_dump", Err: s.err})
			}
			if l.cluster.IsDump() {
				j.addDump(at, s.identity)
			} else {
				strangers = append(strangers, s)
			}
		}
	}
	j.addStrangers(strangers)
	return nil
}

// identifyAll determines which proxy each dump belongs to, and each reachable name
// that no listing contains. It reads the dumps concurrently; the store limits the
// number of concurrent requests.
func (j *joiner) identifyAll(ctx context.Context) map[Place]*stranger {
	all := map[Place]*stranger{}
	var group sync.WaitGroup
	for _, l := range j.listings {
		for _, name := range l.proxies {
			if l.cluster.IsDump() || j.find(name, l) == nil { // a dump added later doesn't change what find returns, because it never adds a second proxy with the same id
				s := &stranger{place: Place{l.cluster, name}, listing: l}
				all[s.place] = s
				group.Go(func() { s.identity, s.err = j.reader.identify(ctx, s.place) })
			}
		}
	}
	group.Wait()
	return all
}

// find returns the proxy with the given id for a listing. It prefers the proxy whose
// home is the listing's cluster. Otherwise it returns the only proxy with this id,
// if there is exactly one and its pod is not known.
func (j *joiner) find(id string, at *listing) *Proxy {
	all := j.byID[id]
	for _, p := range all {
		if p.Home == at.cluster && (p.Pod != nil || p.ClusterID == at.clusterID) {
			return p
		}
	}
	if len(all) == 1 && all[0].Pod == nil {
		return all[0]
	}
	return nil
}

// addDump adds a config dump that was opened without a mesh. The dump belongs to
// the proxy with the same id, if there is exactly one and it has no such dump yet.
// Otherwise addDump adds a proxy.
func (j *joiner) addDump(at Place, who envoy.Identity) {
	if all := j.byID[who.ID]; len(all) == 1 && !slices.ContainsFunc(all[0].Places, func(p Place) bool { return p.Cluster.IsDump() }) {
		all[0].Places = append(all[0].Places, at)
		return
	}
	id := cmp.Or(who.ID, "unknown")
	for n := 2; len(j.byID[id]) > 0; n++ {
		id = fmt.Sprintf("%s-%d", cmp.Or(who.ID, "unknown"), n)
	}
	p := j.add(id, who.ClusterID)
	p.Identity, p.Home, p.Places = &who, at.Cluster, []Place{at}
}

// A stranger is a dump, or a proxy that can be reached under a name that no istiod and
// no API server has listed.
type stranger struct {
	place    Place
	listing  *listing
	identity envoy.Identity
	err      error // the reason why the proxy could not be identified
}

// addStrangers adds a proxy for each stranger. If the stranger was reached under the
// name of a pod, as a folder of a snapshot has, this is the proxy's id. Otherwise the
// id is the node id. If several proxies have the same node id, the name under which
// each was reached is appended.
func (j *joiner) addStrangers(all []*stranger) {
	type key struct {
		listing *listing
		id      string
	}
	count := map[key]int{}
	for _, s := range all {
		if s.listing.pods[s.place.Name] == nil {
			count[key{s.listing, s.identity.ID}]++
		}
	}
	for _, s := range all {
		name, nodeID := s.place.Name, s.identity.ID
		pod, id := s.listing.pods[name], cmp.Or(nodeID, name)
		unique := nodeID == "" || count[key{s.listing, nodeID}] == 1
		switch {
		case pod != nil:
			id = name
		case unique && nodeID != "" && s.place.Cluster.IsLive(): // the proxy was specified by its address, and may be one that istiod also lists
			if p := j.find(id, s.listing); p != nil {
				p.Places = append(p.Places, s.place)
				continue
			}
		}
		if pod == nil && (!unique || len(j.byID[id]) > 0 && nodeID != "") {
			id = nodeID + "@" + strings.TrimPrefix(name, nodeID+"@")
		}
		p := j.add(id, cmp.Or(s.identity.ClusterID, s.listing.clusterID))
		p.Identity, p.Pod, p.Home, p.Places = &s.identity, pod, s.place.Cluster, []Place{s.place}
	}
}

func (j *joiner) add(id, clusterID string) *Proxy {
	p := &Proxy{ID: id, ClusterID: clusterID, AllPilotsAnswered: j.allPilotsAnswered()}
	j.proxies = append(j.proxies, p)
	j.byID[id] = append(j.byID[id], p)
	return p
}

// allPilotsAnswered reports whether every istiod has listed its connections. If so, a
// proxy that no istiod lists isn't connected.
func (j *joiner) allPilotsAnswered() bool {
	n := 0
	for _, l := range j.listings {
		for _, p := range l.pilots {
			if n++; !p.answered() {
				return false
			}
		}
	}
	return n > 0
}

// anonymous is the id of a proxy whose identity could not be determined.
const anonymous = "proxy"

// identify reads the identity of a proxy from its dump. The dump of a ztunnel doesn't
// contain an identity, so the name under which the dump was read is used.
func (r *Reader) identify(ctx context.Context, at Place) (envoy.Identity, error) {
	if at.Cluster.Kind == transport.KindClusters { // the answer to /clusters doesn't contain the name of its proxy
		return envoy.Identity{ID: cmp.Or(at.Name, anonymous)}, nil
	}
	what := "config_dump"
	// the bootstrap contains the identity, and every Envoy that supports masks
	// can return only the bootstrap
	if at.Cluster.IsLive() {
		what = envoy.Request{What: what, Section: mesh.Bootstrap}.Asks(true)[0]
	}
	doc, err := r.AskJSON(ctx, at.Request(what))
	if err != nil {
		return envoy.Identity{}, err
	}
	if at.Cluster.Kind != transport.KindZtunnelDump {
		who, err := envoy.Identify(ctx, doc)
		if err == nil || requests.IsEnd(ctx, err) {
			return who, err
		}
		if is, e := ztunnel.Recognize(ctx, doc); !is || e != nil {
			return envoy.Identity{}, err
		}
	}
	return envoy.Identity{ID: cmp.Or(at.Name, mesh.ZTunnel), Type: mesh.ZTunnel}, nil
}
