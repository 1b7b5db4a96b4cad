package sources

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/istiod"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// readClients reads who is connected to a Pilot. A live one is asked for its
// connections, which are a line each; adsz has all that each of them watches as
// well, 27 kB in a mesh of a thousand services. A snapshot has adsz, and so has
// an istiod that doesn't know the other question; where there are no pods, only
// adsz tells whose the connections are.
func (m *Mesh) readClients(ctx context.Context, p *pilot, g *gatherer) error {
	if !p.realm.alive() || !p.realm.hasCluster() {
		return m.hear(ctx, p, g)
	}
	q := question{p.realm, aPilot, p.id, "connections"}
	body, err := m.ask(ctx, q)
	if unknownQuestion(err) {
		return m.hear(ctx, p, g)
	}
	p.met, err = m.take(ctx, g, q, body, err, func(body *transport.Body) (err error) {
		p.brief = true
		p.clients, err = clientsOf(ctx, body)
		return err
	})
	if ns := m.options.Namespace; ns != "" { // as syncz is
		all := len(p.clients)
		p.clients = slices.DeleteFunc(p.clients, func(c istiod.Client) bool {
			_, namespace := cut(c.ID)
			return namespace != ns
		})
		p.others = len(p.clients) < all
	}
	return err
}

// unknownQuestion tells the error of who has no such answer.
func unknownQuestion(err error) bool {
	var no refused
	if !errors.As(err, &no) {
		return errors.Is(err, fs.ErrNotExist)
	}
	code, _ := no.Status()
	return code == http.StatusNotFound
}

// hear reads what those who are connected to a Pilot say of themselves. Without
// it stays what was known.
func (m *Mesh) hear(ctx context.Context, p *pilot, g *gatherer) error {
	had, err := m.part(ctx, g, question{p.realm, aPilot, p.id, "adsz"}, func(body *transport.Body) error {
		clients, err := clientsOf(ctx, body)
		if err == nil {
			p.clients, p.brief = clients, false
		}
		return err
	})
	p.met = p.met || had
	return err
}

func clientsOf(ctx context.Context, body *transport.Body) ([]istiod.Client, error) {
	doc := &decode.Document{Bytes: body, Name: body.Name}
	clients, err := istiod.ReadClients(ctx, doc)
	return clients, doc.Named(err)
}

// introduce asks Pilots for what their connections say of themselves.
func (m *Mesh) introduce(ctx context.Context, pilots []*pilot, g *gatherer) error {
	var group errgroup.Group
	for _, p := range pilots {
		group.Go(func() error { return m.hear(ctx, p, g) })
	}
	return group.Wait()
}

// unmet gives the Pilots of whose connections syncz and the pods don't tell all
// that adsz would: whether it is a proxy at all that connects, what is known of
// one without a pod, and to which workload one belongs whose pod nothing made.
func (j *joint) unmet() (pilots []*pilot) {
	unmet := map[*pilot]bool{}
	for _, r := range j.rows {
		if r.link == nil || r.pod != nil && r.pod.Type != "" && r.pod.Workload != r.pod.Name {
			continue
		}
		unmet[r.link.pilot] = true
		for _, l := range r.also {
			unmet[l.pilot] = true
		}
	}
	for _, s := range j.scenes {
		for _, p := range s.pilots {
			if p.brief && (unmet[p] || !p.acquainted()) {
				pilots = append(pilots, p)
			}
		}
	}
	return pilots
}

// acquainted tells whether syncz says of everybody who is connected which
// cluster it is in and which version it has.
func (p *pilot) acquainted() bool {
	told := map[string]bool{}
	for i := range p.status {
		s := &p.status[i]
		if istiod.IsProxy(nil, s) && (s.ClusterID == "" || s.Version == "") {
			return false
		}
		told[s.ID] = true
	}
	for i := range p.clients {
		if !told[p.clients[i].ID] {
			return false
		}
	}
	return len(told) > 0 || !p.others // else nobody says what the cluster is called
}

// listen gives all that the connections to a Pilot say of themselves, by the
// connection's id. It is asked for when somebody looks, once.
func (m *Mesh) listen(p *pilot) *store.Shared[map[string]*istiod.Client] {
	return store.NewShared(m.store, func(ctx context.Context) (map[string]*istiod.Client, error) {
		body, err := m.ask(ctx, question{p.realm, aPilot, p.id, "adsz"})
		var all []istiod.Client
		if err == nil {
			all, err = clientsOf(ctx, body)
		}
		if err != nil {
			return nil, m.fail(ctx, &mesh.Fault{Subject: p.id, Section: "adsz", Err: err})
		}
		by := make(map[string]*istiod.Client, len(all))
		for i := range all {
			by[all[i].Connection] = &all[i]
		}
		return by, nil
	})
}

// connectedProxies is how many proxies a Pilot knows; null when it didn't say.
// Where the mesh is restricted to a namespace it is asked for the rest of them.
func (p *pilot) connectedProxies() any {
	switch {
	case !p.told && !p.met:
		return nil
	case !p.brief || !p.others:
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
