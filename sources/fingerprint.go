package sources

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A survey is what syncz and the pods of one realm say, in an order of its
// own: an istiod's differs from answer to answer.
type survey struct {
	Pilots []surveyed
	Pods   []*kube.Pod
	Listed bool
}

type surveyed struct {
	ID     string
	Status []istiod.Status
	Told   bool
}

// Fingerprint says what the outline's changeable parts are, in one short word:
// the state of every connection, as syncz has it, and the pods. It is the same
// for two meshes over the same sources while nothing changed, whatever else
// the answers say. It is empty where nothing tells of changes: no Pilot and no
// pods, and nobody to ask for them. The error is ctx's, or an
// [*UnreadableError]. It asks for nothing that the outline doesn't need.
//
// Without pods it is about the connections alone: pods are many, and an API
// server should not be made to list them every second.
func (m *Mesh) Fingerprint(ctx context.Context, pods bool) (string, error) {
	var g gatherer
	scenes := make([]*scene, len(m.realms))
	var group errgroup.Group
	for i, r := range m.realms {
		scenes[i] = &scene{realm: r}
		group.Go(func() error { return m.surveyScene(ctx, scenes[i], pods, &g) })
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	all, told := []survey{}, false
	for _, s := range scenes {
		v := s.survey()
		all = append(all, v)
		told = told || v.Listed || slices.ContainsFunc(v.Pilots, func(p surveyed) bool { return p.Told })
	}
	sortFaults(g.faults)
	if !told {
		if slices.ContainsFunc(g.faults, func(f *mesh.Fault) bool { return !errors.Is(f.Err, fs.ErrNotExist) }) {
			return "", &UnreadableError{g.faults}
		}
		return "", nil
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

// surveyScene reads syncz and the pods of a realm. Its error is ctx's.
func (m *Mesh) surveyScene(ctx context.Context, s *scene, pods bool, g *gatherer) error {
	if s.realm.lone() {
		return ctx.Err()
	}
	ids, err := s.realm.names(ctx, transport.Source.Pilots)
	if err != nil {
		if ended(ctx, err) {
			return err
		}
		g.add(&mesh.Fault{Subject: m.called("pilots", s.realm), Err: err})
	}
	var group errgroup.Group
	for _, id := range ids {
		p := &pilot{id: id, realm: s.realm}
		s.pilots = append(s.pilots, p)
		group.Go(func() error { return m.readSyncz(ctx, p, g) })
	}
	if pods {
		group.Go(func() error { return m.readPods(ctx, s, g) })
	}
	return group.Wait()
}

func (s *scene) survey() survey {
	v := survey{Pilots: []surveyed{}, Listed: s.listed}
	for _, p := range s.pilots {
		status := slices.Clone(p.status)
		slices.SortFunc(status, func(a, b istiod.Status) int {
			return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ClusterID, b.ClusterID), lastSent(&a).Compare(lastSent(&b)))
		})
		v.Pilots = append(v.Pilots, surveyed{p.id, status, p.told})
	}
	for _, pod := range s.pods {
		v.Pods = append(v.Pods, pod)
	}
	slices.SortFunc(v.Pods, func(a, b *kube.Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return v
}
