package sources

import (
	"cmp"
	"net/url"
	"time"

	"github.com/meshq/kubectl-meshq/sources/istiod"
)

// A link is a proxy's connection to a Pilot: what its syncz says of it, and what
// it says of itself. One of the two may be missing.
type link struct {
	id     string
	pilot  *pilot
	status *istiod.Status
	client *istiod.Client
}

// connect finds the proxies that a Pilot knows, by id. A proxy that connects
// anew is there twice for a while: then the later one counts.
func (p *pilot) connect() {
	p.links = map[string]*link{}
	of := func(id string) *link {
		l := p.links[id]
		if l == nil {
			l = &link{id: id, pilot: p}
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
		if l := of(s.ID); l.status == nil || lastSent(s).After(lastSent(l.status)) {
			l.status = s
		}
	}
	for id, l := range p.links {
		if !istiod.IsProxy(l.said(), l.status) {
			delete(p.links, id)
		}
	}
}

// said is what the proxy says of itself; nil where only its connection is known.
func (l *link) said() *istiod.Client {
	if l == nil || l.pilot.brief {
		return nil
	}
	return l.client
}

func (l *link) clusterID() string {
	if c := l.said(); c != nil && c.ClusterID != "" {
		return c.ClusterID
	}
	if l.status != nil {
		return l.status.ClusterID
	}
	return ""
}

// query names the proxy to its Pilot, as a part of a URL. A snapshot has it
// under its id. A Pilot takes the first connection in whose id the words are
// found, so that only the connection's whole id is safe; and it gives endpoints
// when they are asked for.
func (l *link) query() string {
	if !l.pilot.realm.alive() {
		return "proxyID=" + l.id
	}
	id := l.id
	if l.client != nil && l.client.Connection != "" {
		id = l.client.Connection
	}
	return "proxyID=" + url.QueryEscape(id)
}

func (l *link) connectedAt() time.Time {
	if l == nil || l.client == nil {
		return time.Time{}
	}
	return l.client.ConnectedAt
}

// fresher orders links of one proxy to several Pilots: it is connected to the
// one that it reached last, and that sent last. The Pilots' names decide
// between equals.
func fresher(a, b *link) int {
	return cmp.Or(a.connectedAt().Compare(b.connectedAt()), lastSent(a.status).Compare(lastSent(b.status)),
		cmp.Compare(b.pilot.id, a.pilot.id))
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
