package inventory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// A Scope restricts which proxies an inventory contains, and nothing else. An
// empty field restricts nothing.
type Scope struct {
	Namespace string
	Selector  labels.Selector
	Proxies   []string // words that select proxies; see mesh.Pick
	Revision  string   // a revision; proxies of other revisions are left out unless they are connected to a known istiod
}

// An Inventory lists the istiods and the proxies of a mesh, as the istiods and
// the API servers report them.
type Inventory struct {
	Pilots  []*Pilot // sorted by name
	Proxies []*Proxy
	Faults  []*mesh.Fault // the faults of the parts that could not be read
	Unknown error         // an *UnknownProxyError; nil if every word in Scope.Proxies selects at least one proxy
}

// A Reader reads the inventory of a mesh from its clusters.
type Reader struct {
	*requests.Client
	Clusters []*requests.Cluster
	Scope    Scope
	Store    *store.Store
}

// A listing has the lists that were read from one cluster.
type listing struct {
	cluster   *requests.Cluster
	pilots    []*Pilot
	pods      map[string]*kube.Pod // the pods; the keys are pod.namespace
	havePods  bool                 // true if the pods could be listed
	proxies   []string             // the names of the proxies that can be reached
	clusterID string               // the cluster ID that Istio uses; empty if no connection contains it
}

// A faultList collects faults from several goroutines.
type faultList struct {
	mu  sync.Mutex
	all []*mesh.Fault
}

func (l *faultList) add(f *mesh.Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, f)
}

// Read requests syncz and the list of connections from every istiod, and the
// list of pods from every API server. A failed request becomes a fault of the
// inventory. The error is an *UnreadableError, an *UnknownNamespaceError or the
// reason why ctx ended.
func (r *Reader) Read(ctx context.Context) (*Inventory, error) {
	var faults faultList
	listings, err := r.list(ctx, func(ctx context.Context, l *listing) error { return r.readListing(ctx, l, &faults) })
	if err != nil {
		return nil, err
	}
	if err := unreadable(listings, faults.all); err != nil {
		return nil, err
	}
	proxies, err := r.join(ctx, listings, &faults)
	if err != nil {
		return nil, err
	}
	for _, c := range r.Clusters {
		// read the faults last, because listing may have added faults to the
		// clusters' sources
		for _, s := range c.Sources {
			for _, f := range s.Faults() {
				if requests.LosesData(f) && !r.isElsewhere(f, listings) {
					faults.add(f)
				}
			}
		}
	}
	out := &Inventory{Pilots: sortedPilots(listings)}
	all := len(proxies)
	out.Proxies, out.Unknown = r.Scope.restrict(proxies)
	if ns := r.Scope.Namespace; ns != "" && all > 0 && out.Unknown == nil && len(out.Proxies) == 0 && !hasPods(ns, listings) {
		return nil, &UnknownNamespaceError{ns}
	}
	requests.SortFaults(faults.all)
	out.Faults = faults.all
	return out, nil
}

// list calls read concurrently, once for each cluster, and returns the
// listings.
func (r *Reader) list(ctx context.Context, read func(context.Context, *listing) error) ([]*listing, error) {
	listings := make([]*listing, len(r.Clusters))
	var group errgroup.Group
	for i, c := range r.Clusters {
		listings[i] = &listing{cluster: c}
		group.Go(func() error { return read(ctx, listings[i]) })
	}
	return listings, group.Wait()
}

// readListing reads the lists of one cluster. It returns an error only if
// ctx has ended.
func (r *Reader) readListing(ctx context.Context, l *listing, faults *faultList) error {
	var err error
	if l.proxies, err = l.cluster.Proxies(ctx); err != nil {
		faults.add(&mesh.Fault{Subject: l.cluster.Named("proxies", r.Clusters), Err: err})
	}
	if l.cluster.IsDump() {
		return ctx.Err()
	}
	ids, err := l.cluster.Pilots(ctx)
	if err == nil && len(ids) == 0 {
		err = noPilots(l.cluster)
	}
	if err != nil && !l.cluster.CannotHave(err) {
		faults.add(&mesh.Fault{Subject: l.cluster.Named("pilots", r.Clusters), Err: err})
	}
	var group errgroup.Group
	for _, id := range ids {
		p := r.newPilot(id, l)
		group.Go(func() error { return r.readSyncz(ctx, p, faults) })
		group.Go(func() error { return r.readConnections(ctx, p, faults) })
	}
	group.Go(func() error { return r.readPods(ctx, l, faults) })
	return group.Wait()
}

func (r *Reader) newPilot(id string, l *listing) *Pilot {
	p := &Pilot{ID: id, Cluster: l.cluster, listing: l}
	p.adsz = r.newADSZ(p)
	l.pilots = append(l.pilots, p)
	return p
}

func (r *Reader) readSyncz(ctx context.Context, p *Pilot, faults *faultList) (err error) {
	what := "syncz"
	if ns := r.Scope.Namespace; ns != "" && p.Cluster.IsLive() {
		what += "?namespace=" + url.QueryEscape(ns)
	}
	p.haveSyncz, err = r.readPart(ctx, faults, requests.Request{Cluster: p.Cluster, To: requests.Pilot, Name: p.ID, What: what}, func(body *transport.Body) (err error) {
		doc := &decode.Document{Bytes: body, Name: body.Name}
		p.status, err = istiod.ReadSyncz(ctx, doc)
		return doc.Named(err)
	})
	return err
}

func (r *Reader) readPods(ctx context.Context, l *listing, faults *faultList) (err error) {
	l.havePods, err = r.readPart(ctx, faults, requests.Request{Cluster: l.cluster, To: requests.Kubernetes, What: "pods"}, func(body *transport.Body) error {
		pods, err := readPodList(ctx, body)
		l.pods = make(map[string]*kube.Pod, len(pods))
		for i := range pods {
			l.pods[pods[i].ID()] = &pods[i]
		}
		return err
	})
	return err
}

// readPodList reads pods in JSON, YAML or Protobuf. It reads Protobuf
// directly instead of converting it to JSON, because a mesh may have many
// thousands of pods.
func readPodList(ctx context.Context, body *transport.Body) ([]kube.Pod, error) {
	if body.Form == transport.Protobuf {
		return kube.ProtobufPods(ctx, body)
	}
	doc, err := requests.ToJSON(ctx, body)
	if err != nil {
		return nil, err
	}
	pods, err := kube.Pods(ctx, doc)
	return pods, doc.Named(err)
}

// readPart requests one part of the inventory and passes the answer to read. If
// that fails, it adds a fault and ok is false. It returns an error only if ctx
// has ended.
func (r *Reader) readPart(ctx context.Context, faults *faultList, q requests.Request, read func(*transport.Body) error) (ok bool, err error) {
	body, err := r.Ask(ctx, q)
	if err == nil {
		err = read(body)
		body.Unload() // the lists of a large mesh take many megabytes, and the needed part has been read
	}
	return err == nil, r.noteFault(ctx, faults, q, err)
}

// noteFault adds a fault for a part that could not be read. It returns err only
// if err means that ctx has ended.
func (r *Reader) noteFault(ctx context.Context, faults *faultList, q requests.Request, err error) error {
	switch {
	case err == nil, q.Cluster.CannotHave(err):
		return nil
	case requests.IsEnd(ctx, err):
		return err
	}
	f := &mesh.Fault{Subject: q.Name, Section: q.What, Err: err}
	if q.To == requests.Kubernetes {
		f.Subject = q.Cluster.Named("kubernetes", r.Clusters)
	}
	faults.add(f)
	return nil
}

// hasPods reports whether any listing contains a pod in the namespace.
func hasPods(namespace string, listings []*listing) bool {
	return slices.ContainsFunc(listings, func(l *listing) bool {
		for _, p := range l.pods {
			if p.Namespace == namespace {
				return true
			}
		}
		return false
	})
}

// isElsewhere reports whether a fault is irrelevant for the scope, because it
// is about pods in other namespaces and the pods in the scope's namespace could
// be listed.
func (r *Reader) isElsewhere(f *mesh.Fault, listings []*listing) bool {
	if r.Scope.Namespace == "" || f.Subject != "kubernetes" || f.Section != "pods" {
		return false
	}
	return hasPods(r.Scope.Namespace, listings)
}

// An UnknownNamespaceError reports that the scope's namespace contains neither
// proxies nor pods, although other namespaces contain proxies.
type UnknownNamespaceError struct{ Namespace string }

func (e *UnknownNamespaceError) Error() string {
	return "no proxy and no pod is in namespace " + e.Namespace
}

// An UnreadableError reports that nothing could be read from a live mesh: no
// istiod, no pods and no proxy.
type UnreadableError struct{ Faults []*mesh.Fault }

func (e *UnreadableError) Error() string {
	const before = "nothing could be read: "
	var facts, lines []string
	for _, f := range e.Faults {
		if fact := f.Fact(); !slices.Contains(facts, fact) {
			facts = append(facts, fact)
		}
		lines = append(lines, f.Error())
	}
	if len(facts) == 1 { // a single error usually means that the API server can't be reached at all
		return before + facts[0]
	}
	return before + strings.Join(lines, "; ")
}

// Unwrap returns the causes of the faults instead of the faults. Otherwise a
// caller that handles faults by their type would mistake this error for a
// fault.
func (e *UnreadableError) Unwrap() []error {
	all := make([]error, len(e.Faults))
	for i, f := range e.Faults {
		all[i] = f.Err
	}
	return all
}

// unreadable returns an *UnreadableError if all clusters are live and nothing
// could be read from any of them. It ignores snapshots, because opening an
// unreadable snapshot fails earlier.
func unreadable(listings []*listing, faults []*mesh.Fault) error {
	for _, l := range listings {
		if !l.cluster.IsLive() || l.havePods || len(l.proxies) > 0 || slices.ContainsFunc(l.pilots, (*Pilot).answered) {
			return nil
		}
	}
	if len(faults) == 0 {
		return nil
	}
	requests.SortFaults(faults)
	return &UnreadableError{faults}
}

// noPilots returns the error for a cluster in which no istiod was found.
func noPilots(c *requests.Cluster) error {
	if !c.IsLive() {
		return errors.New("not in the snapshot")
	}
	if ns := c.Sources[0].Manifest().IstioNamespace; ns != "" {
		return fmt.Errorf("no istiod runs in namespace %s", ns)
	}
	return fs.ErrNotExist
}
