package sources

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// Names gives the ids of the proxies that the options leave, in order, as far
// as syncz, the pods and the folders of a snapshot tell: no proxy is asked.
// When ctx ends it gives what came until then; what can't be had is left out.
func (m *Mesh) Names(ctx context.Context) []string {
	heard := &roll{called: map[string]bool{}, pods: map[string]*kube.Pod{}}
	var all sync.WaitGroup
	for _, r := range m.realms {
		all.Go(func() { m.call(ctx, r, heard) })
	}
	all.Wait()
	return heard.names(&m.options)
}

// A roll is who was heard of, by id.
type roll struct {
	mu     sync.Mutex
	called map[string]bool      // by a Pilot or a folder
	pods   map[string]*kube.Pod // with a proxy in them
}

// call gathers the names of one realm. Nobody asks for the faults.
func (m *Mesh) call(ctx context.Context, r *realm, heard *roll) {
	s, g := &scene{realm: r}, &gatherer{}
	var all sync.WaitGroup
	all.Go(func() {
		_ = m.readPods(ctx, s, g)
		heard.list(s.pods)
	})
	if !r.alive() {
		ids, _ := r.names(ctx, transport.Source.Proxies)
		heard.call(slices.Values(ids))
	}
	pilots, _ := r.names(ctx, transport.Source.Pilots)
	for _, id := range pilots {
		p := &pilot{id: id, realm: r}
		all.Go(func() {
			_ = m.readSyncz(ctx, p, g)
			p.connect()
			heard.call(maps.Keys(p.links))
		})
	}
	all.Wait()
}

func (r *roll) call(ids iter.Seq[string]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range ids {
		r.called[id] = id != "" // a dump's name is none
	}
}

func (r *roll) list(pods map[string]*kube.Pod) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, pod := range pods {
		if pod.Type != "" && !pod.Over {
			r.pods[id] = pod
		}
	}
}

// names gives the ids that the options leave. Of a proxy without a pod the
// labels aren't known here.
func (r *roll) names(o *Options) []string {
	ids := map[string]bool{}
	for id, called := range r.called {
		if called && (o.Selector == nil || o.Selector.Empty() || r.pods[id] != nil) {
			ids[id] = true
		}
	}
	for id, pod := range r.pods {
		if o.Revision != "" && pod.Revision != o.Revision && !r.called[id] {
			continue
		}
		if ids[id] = true; o.Selector != nil && !o.Selector.Matches(labelSet(pod.Labels)) {
			delete(ids, id)
		}
	}
	for id := range ids {
		if _, namespace := cut(id); o.Namespace != "" && namespace != o.Namespace {
			delete(ids, id)
		}
	}
	return slices.Sorted(maps.Keys(ids))
}
