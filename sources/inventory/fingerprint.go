package inventory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
)

// A clusterState is the part of one cluster's state that the fingerprint covers.
// Its lists are sorted, because an istiod returns its connections in a different
// order each time.
type clusterState struct {
	Pilots []pilotState
	Pods   []*kube.Pod
	Listed bool
}

type pilotState struct {
	ID     string
	Status []istiod.Status
	Told   bool
}

// Fingerprint returns a short text that changes when the inventory changes. It
// covers the state of every connection in syncz and, if pods is set, the pods.
// Two readers of the same sources get the same fingerprint as long as nothing has
// changed. It is empty if the mesh has neither an istiod nor an API server. The
// error is the context's error or an [*UnreadableError]. Fingerprint sends only
// requests that Read sends too.
//
// Pods are optional because there are many: an API server should not have to list
// them every second.
func (r *Reader) Fingerprint(ctx context.Context, pods bool) (string, error) {
	var faults faultList
	listings, err := r.list(ctx, func(ctx context.Context, l *listing) error { return r.readState(ctx, l, pods, &faults) })
	if err != nil {
		return "", err
	}
	all, answered := []clusterState{}, false
	for _, l := range listings {
		all = append(all, l.state())
		answered = answered || l.havePods || slices.ContainsFunc(l.pilots, func(p *Pilot) bool { return p.haveSyncz })
	}
	if !answered {
		requests.SortFaults(faults.all)
		if slices.ContainsFunc(faults.all, requests.LosesData) {
			return "", &UnreadableError{faults.all}
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

// readState reads syncz and the pods of a cluster. It returns an error only if
// ctx has ended.
func (r *Reader) readState(ctx context.Context, l *listing, pods bool, faults *faultList) error {
	if l.cluster.IsDump() {
		return ctx.Err()
	}
	ids, err := l.cluster.Pilots(ctx)
	if err != nil {
		if requests.IsEnd(ctx, err) {
			return err
		}
		faults.add(&mesh.Fault{Subject: l.cluster.Named("pilots", r.Clusters), Err: err})
	}
	var group errgroup.Group
	for _, id := range ids {
		p := r.newPilot(id, l)
		group.Go(func() error { return r.readSyncz(ctx, p, faults) })
	}
	if pods {
		group.Go(func() error { return r.readPods(ctx, l, faults) })
	}
	return group.Wait()
}

func (l *listing) state() clusterState {
	s := clusterState{Pilots: []pilotState{}, Listed: l.havePods}
	for _, p := range l.pilots {
		status := slices.Clone(p.status)
		slices.SortFunc(status, func(a, b istiod.Status) int {
			return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ClusterID, b.ClusterID), lastSent(&a).Compare(lastSent(&b)))
		})
		s.Pilots = append(s.Pilots, pilotState{p.ID, status, p.haveSyncz})
	}
	for _, pod := range l.pods {
		s.Pods = append(s.Pods, pod)
	}
	slices.SortFunc(s.Pods, func(a, b *kube.Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return s
}
