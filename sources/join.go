package sources

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A joint is the work of finding out which connection, pod and folder are one
// proxy.
type joint struct {
	m      *Mesh
	scenes []*scene
	faults *gatherer

	rows []*row
	byID map[string][]*row
}

// join makes a row for each proxy, in order: those that a Pilot knows, the
// pods that one should know, and what else can be asked.
func (m *Mesh) join(ctx context.Context, scenes []*scene, g *gatherer) ([]*row, error) {
	j := m.gather(scenes, g)
	if unmet := j.unmet(); len(unmet) > 0 {
		if err := m.introduce(ctx, unmet, g); err != nil {
			return nil, err
		}
		j = m.gather(scenes, g)
	}
	if err := j.places(ctx); err != nil {
		return nil, err
	}
	slices.SortFunc(j.rows, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.clusterID, b.clusterID), cmp.Compare(a.id, b.id), cmp.Compare(a.home.number, b.home.number))
	})
	return j.rows, nil
}

// gather makes the rows of those that a Pilot or Kubernetes knows.
func (m *Mesh) gather(scenes []*scene, g *gatherer) *joint {
	j := &joint{m: m, scenes: scenes, faults: g, byID: map[string][]*row{}}
	for _, s := range scenes {
		for _, p := range s.pilots {
			p.connect()
		}
	}
	j.clusters()
	j.connections()
	j.pods()
	return j
}

// links gives all connections, by Pilot and id.
func (j *joint) links(yield func(*scene, *link) bool) {
	for _, s := range j.scenes {
		for _, p := range s.pilots {
			for _, id := range slices.Sorted(maps.Keys(p.links)) {
				if !yield(s, p.links[id]) {
					return
				}
			}
		}
	}
}

// clusters finds the clusterID of each scene: that of most of the connections
// whose pods are in it; where its pods aren't known, of most connections to
// its Pilots.
func (j *joint) clusters() {
	votes := map[*scene]map[string]int{}
	vote := func(s *scene, id string) {
		if votes[s] == nil {
			votes[s] = map[string]int{}
		}
		votes[s][id]++
	}
	for at, l := range j.links {
		for _, s := range j.scenes {
			if s.pods[l.id] != nil || s == at && !s.listed {
				vote(s, l.clusterID())
			}
		}
	}
	for s, of := range votes {
		ids := slices.Sorted(maps.Keys(of))
		s.clusterID = slices.MaxFunc(ids, func(a, b string) int { return of[a] - of[b] })
	}
}

// connections makes a row for each proxy that a Pilot knows. Of one that is
// known to several the freshest connection counts.
func (j *joint) connections() {
	type key struct {
		apart         *realm
		clusterID, id string
	}
	of := func(l *link) key { return key{j.apart(l), l.clusterID(), l.id} }
	all := map[key][]*link{}
	for _, l := range j.links {
		all[of(l)] = append(all[of(l)], l)
	}
	for _, l := range j.links {
		same := all[of(l)]
		if same == nil { // had with the first of them
			continue
		}
		delete(all, of(l))
		slices.SortStableFunc(same, func(a, b *link) int { return fresher(b, a) })
		r := j.add(l.id, l.clusterID())
		r.link, r.also = same[0], same[1:]
		for _, s := range j.scenes {
			if r.pod == nil && s.pods[l.id] != nil && s.clusterID == l.clusterID() && (j.apart(l) == nil || j.apart(l) == s.realm) {
				r.pod, r.home = s.pods[l.id], s.realm
			}
		}
		if r.home == nil {
			r.home = r.link.pilot.realm
		}
	}
}

// apart gives the realm of a connection where several realms have clusters of
// that one name: these are meshes that have nothing to do with one another, as
// Istio calls every lone cluster "Kubernetes".
func (j *joint) apart(l *link) *realm {
	n := 0
	for _, s := range j.scenes {
		if s.clusterID == l.clusterID() && !s.realm.lone() {
			n++
		}
	}
	if n > 1 {
		return l.pilot.realm
	}
	return nil
}

// pods makes a row for each pod of a proxy that no Pilot knows.
func (j *joint) pods() {
	for _, s := range j.scenes {
		for _, id := range slices.Sorted(maps.Keys(s.pods)) {
			p := s.pods[id]
			if p.Type == "" || p.Over || slices.ContainsFunc(j.byID[id], func(r *row) bool { return r.pod == p }) {
				continue
			}
			r := j.add(id, s.clusterID)
			r.pod, r.home = p, s.realm
		}
	}
}

// places tells each row where its proxy can be asked, and makes rows for
// proxies of which nothing else is known.
func (j *joint) places(ctx context.Context) error {
	var strangers []*stranger
	for _, s := range j.scenes {
		for _, name := range s.proxies {
			at := place{s.realm, name}
			if s.realm.lone() {
				if err := j.dump(ctx, at); err != nil {
					return err
				}
			} else if r := j.find(name, s); r != nil {
				r.places = append(r.places, at)
			} else {
				who, err := j.m.identify(ctx, at)
				if err != nil {
					if err = j.fault(ctx, &mesh.Fault{Proxy: at.name, Section: "config_dump", Err: err}); err != nil {
						return err
					}
				}
				strangers = append(strangers, &stranger{at, s, who})
			}
		}
	}
	j.strangers(strangers)
	return nil
}

// find gives the row of an id in a scene: the one that is at home there, or
// the only one of that id, if it is at home nowhere that is known.
func (j *joint) find(id string, at *scene) *row {
	all := j.byID[id]
	for _, r := range all {
		if r.home == at.realm && (r.pod != nil || r.clusterID == at.clusterID) {
			return r
		}
	}
	if len(all) == 1 && all[0].pod == nil {
		return all[0]
	}
	return nil
}

// dump takes a config dump of its own: of a proxy that the rest tells of, or
// of one more. Two dumps of one proxy are two rows.
func (j *joint) dump(ctx context.Context, at place) error {
	who, err := j.m.identify(ctx, at)
	if err != nil {
		return j.fault(ctx, &mesh.Fault{Subject: "config_dump", Err: err})
	}
	if all := j.byID[who.ID]; len(all) == 1 && !slices.ContainsFunc(all[0].places, func(p place) bool { return p.realm.lone() }) {
		all[0].places = append(all[0].places, at)
		return nil
	}
	id := cmp.Or(who.ID, "unknown")
	for n := 2; len(j.byID[id]) > 0; n++ {
		id = fmt.Sprintf("%s-%d", cmp.Or(who.ID, "unknown"), n)
	}
	r := j.add(id, who.ClusterID)
	r.who, r.home, r.places = &who, at.realm, []place{at}
	return nil
}

// A stranger is a proxy that can be asked, and that neither a Pilot nor
// Kubernetes tells of by the name that it is asked under.
type stranger struct {
	place
	scene *scene
	who   envoy.Identity
}

// pod is the stranger's pod, of a mesh whose proxies aren't known by their
// pods: a snapshot has them in folders of the pods' names.
func (s *stranger) pod() *kube.Pod { return s.scene.pods[s.name] }

// strangers makes a row for each. An Envoy goes by its pod or else by its
// node's id, which nothing keeps others from having too: then its address, or
// its folder, is what tells it from them.
func (j *joint) strangers(all []*stranger) {
	type key struct {
		scene *scene
		id    string
	}
	same := map[key]int{}
	for _, s := range all {
		if s.pod() == nil {
			same[key{s.scene, s.who.ID}]++
		}
	}
	for _, s := range all {
		pod, id := s.pod(), cmp.Or(s.who.ID, s.name)
		alone := s.who.ID == "" || same[key{s.scene, s.who.ID}] == 1
		switch {
		case pod != nil:
			id = s.name
		case alone && s.who.ID != "" && s.realm.alive(): // an address was its name so far
			if r := j.find(id, s.scene); r != nil {
				r.places = append(r.places, s.place)
				continue
			}
		}
		if pod == nil && (!alone || len(j.byID[id]) > 0 && s.who.ID != "") {
			id = s.who.ID + "@" + strings.TrimPrefix(s.name, s.who.ID+"@")
		}
		r := j.add(id, cmp.Or(s.who.ClusterID, s.scene.clusterID))
		r.who, r.pod, r.home, r.places = &s.who, pod, s.realm, []place{s.place}
	}
}

func (j *joint) fault(ctx context.Context, f *mesh.Fault) error {
	if ended(ctx, f.Err) {
		return f.Err
	}
	j.faults.add(f)
	return nil
}

func (j *joint) add(id, clusterID string) *row {
	r := &row{m: j.m, id: id, clusterID: clusterID, asked: j.asked()}
	j.rows = append(j.rows, r)
	j.byID[id] = append(j.byID[id], r)
	return r
}

// asked tells whether every Pilot was asked who is connected, so that a proxy
// that none knows is not.
func (j *joint) asked() bool {
	n := 0
	for _, s := range j.scenes {
		for _, p := range s.pilots {
			if n++; !p.told && !p.met {
				return false
			}
		}
	}
	return n > 0
}
