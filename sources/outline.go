package sources

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/sources/ztunnel"
)

// An outline is what one look at the whole mesh brings: who is there, where,
// and how each proxy stands to its Pilot.
type outline struct {
	pilots  []any
	proxies []any
	faults  []any
	rows    map[*mesh.Object]*row
	unknown error // a word that was to name a proxy, and names none
}

// A scene is what the outline reads of one realm.
type scene struct {
	realm   *realm
	pilots  []*pilot
	pods    map[string]*kube.Pod // by pod.namespace
	listed  bool                 // the pods are known
	proxies []string             // that can be asked

	clusterID string // of the cluster, as far as connections tell
}

// A pilot is what one istiod says.
type pilot struct {
	id      string // pod.namespace
	realm   *realm
	status  []istiod.Status
	clients []istiod.Client
	told    bool // syncz was had
	met     bool // the connections were had
	brief   bool // without what they say of themselves
	others  bool // there are more, in other namespaces
	links   map[string]*link
	adsz    *store.Shared[map[string]*istiod.Client]
}

// A gatherer collects faults from several goroutines.
type gatherer struct {
	mu     sync.Mutex
	faults []*mesh.Fault
}

func (g *gatherer) add(f *mesh.Fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, f)
}

// readOutline asks every istiod for syncz and who is connected, and Kubernetes
// for the pods. What can't be had is a fault, and the outline is what the rest says.
func (m *Mesh) readOutline(ctx context.Context) (*outline, error) {
	var g gatherer
	scenes := make([]*scene, len(m.realms))
	var group errgroup.Group
	for i, r := range m.realms {
		scenes[i] = &scene{realm: r}
		group.Go(func() error { return m.readScene(ctx, scenes[i], &g) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := unreadable(scenes, g.faults); err != nil {
		return nil, err
	}
	rows, err := m.join(ctx, scenes, &g)
	if err != nil {
		return nil, err
	}
	for _, s := range m.options.Sources { // those met just now among them
		for _, f := range s.Faults() {
			if lost(f) && !m.elsewhere(f, scenes) {
				g.add(f)
			}
		}
	}
	o := &outline{pilots: m.pilotObjects(scenes), rows: map[*mesh.Object]*row{}}
	all := len(rows)
	rows, o.unknown = m.options.restrict(rows)
	if ns := m.options.Namespace; ns != "" && all > 0 && o.unknown == nil && len(rows) == 0 && !inhabited(ns, scenes) {
		return nil, &UnknownNamespaceError{ns}
	}
	o.proxies, o.faults = []any{}, []any{}
	for _, r := range rows {
		r.hang()
		o.proxies = append(o.proxies, r.object)
		o.rows[r.object] = r
	}
	sortFaults(g.faults)
	for _, f := range g.faults {
		m.record(noted{f, true})
		o.faults = append(o.faults, faultObject(f))
	}
	return o, nil
}

// An UnknownNamespaceError is of Options.Namespace, where proxies of other
// namespaces are known and nothing is in that one.
type UnknownNamespaceError struct{ Namespace string }

func (e *UnknownNamespaceError) Error() string {
	return "no proxy and no pod is in namespace " + e.Namespace
}

// inhabited tells whether a pod is known to be in a namespace.
func inhabited(namespace string, scenes []*scene) bool {
	return slices.ContainsFunc(scenes, func(s *scene) bool {
		for _, p := range s.pods {
			if p.Namespace == namespace {
				return true
			}
		}
		return false
	})
}

// elsewhere tells whether a fault is about pods of other namespaces than the
// one that the mesh is restricted to, whose pods are there.
func (m *Mesh) elsewhere(f *mesh.Fault, scenes []*scene) bool {
	if m.options.Namespace == "" || f.Subject != "kubernetes" || f.Section != "pods" {
		return false
	}
	return inhabited(m.options.Namespace, scenes)
}

// readScene reads what the outline needs of a realm. Its error is ctx's.
func (m *Mesh) readScene(ctx context.Context, s *scene, g *gatherer) error {
	var err error
	if s.proxies, err = s.realm.names(ctx, transport.Source.Proxies); err != nil {
		g.add(&mesh.Fault{Subject: m.called("proxies", s.realm), Err: err})
	}
	if s.realm.lone() {
		return ctx.Err()
	}
	ids, err := s.realm.names(ctx, transport.Source.Pilots)
	if err == nil && len(ids) == 0 {
		err = s.realm.noPilots()
	}
	if err != nil && !s.realm.without(err) {
		g.add(&mesh.Fault{Subject: m.called("pilots", s.realm), Err: err})
	}
	var group errgroup.Group
	for _, id := range ids {
		p := &pilot{id: id, realm: s.realm}
		p.adsz = m.listen(p)
		s.pilots = append(s.pilots, p)
		group.Go(func() error { return m.readSyncz(ctx, p, g) })
		group.Go(func() error { return m.readClients(ctx, p, g) })
	}
	group.Go(func() error { return m.readPods(ctx, s, g) })
	return group.Wait()
}

func (m *Mesh) readSyncz(ctx context.Context, p *pilot, g *gatherer) (err error) {
	what := "syncz"
	if ns := m.options.Namespace; ns != "" && p.realm.alive() {
		what += "?namespace=" + url.QueryEscape(ns)
	}
	p.told, err = m.part(ctx, g, question{p.realm, aPilot, p.id, what}, func(body *transport.Body) (err error) {
		doc := &decode.Document{Bytes: body, Name: body.Name}
		p.status, err = istiod.ReadSyncz(ctx, doc)
		return doc.Named(err)
	})
	return err
}

func (m *Mesh) readPods(ctx context.Context, s *scene, g *gatherer) (err error) {
	q := question{s.realm, kubernetes, "", "pods"}
	s.listed, err = m.part(ctx, g, q, func(body *transport.Body) error {
		pods, err := podsOf(ctx, body)
		s.pods = make(map[string]*kube.Pod, len(pods))
		for i := range pods {
			s.pods[pods[i].ID()] = &pods[i]
		}
		return err
	})
	return err
}

// podsOf reads a list of pods in whatever form it came.
func podsOf(ctx context.Context, body *transport.Body) ([]kube.Pod, error) {
	if body.Form == transport.Protobuf {
		return kube.ProtobufPods(ctx, body)
	}
	doc, err := asJSON(ctx, body)
	if err != nil {
		return nil, err
	}
	pods, err := kube.Pods(ctx, doc)
	return pods, doc.Named(err)
}

// part asks for one part of the outline and reads it. One that can't be had is
// a fault; the error is ctx's.
func (m *Mesh) part(ctx context.Context, g *gatherer, q question, read func(*transport.Body) error) (bool, error) {
	body, err := m.ask(ctx, q)
	return m.take(ctx, g, q, body, err, read)
}

// take reads a part that was asked for.
func (m *Mesh) take(ctx context.Context, g *gatherer, q question, body *transport.Body, err error, read func(*transport.Body) error) (bool, error) {
	if err == nil {
		err = read(body)
	}
	if err == nil {
		return true, nil
	}
	if ended(ctx, err) {
		return false, err
	}
	if q.realm.without(err) {
		return false, nil
	}
	f := &mesh.Fault{Subject: q.whom, Section: q.what, Err: err}
	if q.of == kubernetes {
		f.Subject = m.called("kubernetes", q.realm)
	}
	g.add(f)
	return false, nil
}

// An UnreadableError is of a live mesh of which nothing could be read: no
// Pilot, no pods, no proxy.
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
	if len(facts) == 1 { // the API server isn't there, whatever it is asked
		return before + facts[0]
	}
	return before + strings.Join(lines, "; ")
}

// Unwrap gives the facts; that they are of faults is this error's own to say.
func (e *UnreadableError) Unwrap() []error {
	all := make([]error, len(e.Faults))
	for i, f := range e.Faults {
		all[i] = f.Err
	}
	return all
}

// unreadable tells whether nothing was had of any realm, and all are live: a
// snapshot is looked into when it is opened.
func unreadable(scenes []*scene, faults []*mesh.Fault) error {
	for _, s := range scenes {
		told := slices.ContainsFunc(s.pilots, func(p *pilot) bool { return p.told || p.met })
		if !s.realm.alive() || told || s.listed || len(s.proxies) > 0 {
			return nil
		}
	}
	if len(faults) == 0 {
		return nil
	}
	sortFaults(faults)
	return &UnreadableError{faults}
}

// noPilots is the error of a realm in which none was found.
func (r *realm) noPilots() error {
	if !r.alive() {
		return errors.New("not in the snapshot")
	}
	if ns := r.sources[0].Manifest().IstioNamespace; ns != "" {
		return fmt.Errorf("no istiod runs in namespace %s", ns)
	}
	return fs.ErrNotExist
}

// without tells that what isn't there isn't lost: there is nobody to ask in a
// mesh that was given as addresses.
func (r *realm) without(err error) bool {
	return r.alive() && !r.hasCluster() && errors.Is(err, fs.ErrNotExist)
}

// hasCluster tells whether a live realm is that of a cluster, not of addresses.
func (r *realm) hasCluster() bool { return r.sources[0].Manifest().IstioNamespace != "" }

// called names something of a realm, and the realm where there are several.
func (m *Mesh) called(what string, r *realm) string {
	if len(m.realms) == 1 || r.context == "" {
		return what
	}
	return what + " of " + r.context
}

// readable gives an answer as JSON, whatever form it came in.
func (m *Mesh) readable(ctx context.Context, q question) (*decode.Document, error) {
	body, err := m.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	return asJSON(ctx, body)
}

func asJSON(ctx context.Context, body *transport.Body) (*decode.Document, error) {
	doc := &decode.Document{Bytes: body, Name: body.Name}
	var text []byte
	var err error
	switch body.Form {
	case transport.YAML:
		text, err = kube.FromYAML(ctx, body)
	case transport.Protobuf:
		text, err = kube.ProtobufJSON(ctx, body)
	default:
		return doc, nil
	}
	doc.Bytes = bytes.NewReader(text)
	return doc, doc.Named(err)
}

// nameless is the id of a proxy that nothing names.
const nameless = "proxy"

// identify reads who a proxy is that neither a Pilot nor Kubernetes tells of.
// A ztunnel's dump doesn't say which it is.
func (m *Mesh) identify(ctx context.Context, at place) (envoy.Identity, error) {
	if at.realm.kind == transport.KindClusters { // which speaks of others only
		return envoy.Identity{ID: cmp.Or(at.name, nameless)}, nil
	}
	what := "config_dump"
	if at.realm.alive() { // the bootstrap tells; any Envoy that has masks knows this one
		what = envoy.Request{What: what, Section: mesh.Bootstrap}.Asks(true)[0]
	}
	doc, err := m.readable(ctx, question{at.realm, aProxy, at.name, what})
	if err != nil {
		return envoy.Identity{}, err
	}
	if at.realm.kind != transport.KindZtunnelDump {
		who, err := envoy.Identify(ctx, doc)
		if err == nil || ended(ctx, err) {
			return who, err
		}
		if is, e := ztunnel.Recognize(ctx, doc); !is || e != nil {
			return envoy.Identity{}, err
		}
	}
	return envoy.Identity{ID: cmp.Or(at.name, mesh.ZTunnel), Type: mesh.ZTunnel}, nil
}
