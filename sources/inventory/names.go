package inventory

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/requests"
)

// Names returns the sorted ids of the proxies in the scope, for shell
// completion. It reads them from syncz, the pods and the folders of a snapshot,
// and sends no request to a proxy. If ctx ends, Names returns the ids read by
// then. It leaves out everything that can't be read.
func (r *Reader) Names(ctx context.Context) []string {
	found := &foundNames{listed: map[string]bool{}, pods: map[string]*kube.Pod{}}
	var all sync.WaitGroup
	for _, c := range r.Clusters {
		all.Go(func() { r.findNames(ctx, c, found) })
	}
	all.Wait()
	return found.inScope(&r.Scope)
}

// foundNames collects the proxies that were found, by id.
type foundNames struct {
	mu sync.Mutex
	// the ids that an istiod or a snapshot folder has; false for the empty id
	// of a config dump
	listed map[string]bool
	pods   map[string]*kube.Pod // the pods that contain a proxy, by id
}

// findNames collects the proxies' names from one cluster. It drops faults,
// because completion can't show them.
func (r *Reader) findNames(ctx context.Context, c *requests.Cluster, found *foundNames) {
	l, faults := &listing{cluster: c}, &faultList{}
	var all sync.WaitGroup
	all.Go(func() {
		_ = r.readPods(ctx, l, faults)
		found.addPods(l.pods)
	})
	if !c.IsLive() {
		ids, _ := c.Proxies(ctx)
		found.addIDs(slices.Values(ids))
	}
	pilots, _ := c.Pilots(ctx)
	for _, id := range pilots {
		p := &Pilot{ID: id, Cluster: c}
		all.Go(func() {
			_ = r.readSyncz(ctx, p, faults)
			p.connect()
			found.addIDs(maps.Keys(p.links))
		})
	}
	all.Wait()
}

func (f *foundNames) addIDs(ids iter.Seq[string]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range ids {
		f.listed[id] = id != ""
	}
}

func (f *foundNames) addPods(pods map[string]*kube.Pod) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, pod := range pods {
		if pod.Type != "" && !pod.Over {
			f.pods[id] = pod
		}
	}
}

// inScope returns the ids in the scope. The labels of a proxy without a pod are
// unknown here, so a label selector leaves it out.
func (f *foundNames) inScope(s *Scope) []string {
	ids := map[string]bool{}
	for id, listed := range f.listed {
		if listed && (s.Selector == nil || s.Selector.Empty() || f.pods[id] != nil) {
			ids[id] = true
		}
	}
	for id, pod := range f.pods {
		if s.Revision != "" && pod.Revision != s.Revision && !f.listed[id] {
			continue
		}
		if ids[id] = true; s.Selector != nil && !s.Selector.Matches(labelSet(pod.Labels)) {
			delete(ids, id)
		}
	}
	for id := range ids {
		if _, namespace := SplitID(id); s.Namespace != "" && namespace != s.Namespace {
			delete(ids, id)
		}
	}
	return slices.Sorted(maps.Keys(ids))
}
