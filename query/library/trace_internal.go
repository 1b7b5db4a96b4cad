package library

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// What Istio calls the parts of an ambient mesh's tunnels (HBONE: mutual TLS
// around HTTP/2 CONNECT).
const (
	tunnelPort       = 15008
	connectTerminate = "connect_terminate"                   // the listener of that port
	originalDstName  = "envoy.filters.listener.original_dst" // of the metadata that says where a tunnel leads
)

// ownListener is how the address begins of a listener of the proxy itself, as
// the document writes it: "envoy://connect_originate/10.0.0.7:9080".
const ownListener = "envoy://"

// reach goes on to an endpoint that takes a share of the requests. One that is
// an internal listener of the proxy leads further: through that listener, its
// chain and cluster.
func (w *walk) reach(e end, row any) error {
	m := e.endpoint.(*object.Object)
	address, _ := m.Get("address").(string)
	name, id, _ := strings.Cut(strings.TrimPrefix(address, ownListener), "/")
	if !strings.HasPrefix(address, ownListener) || w.within {
		w.left += e.share
		w.ends = append(w.ends, e)
		return nil
	}
	inner, err := w.hop(name, id, row)
	if err != nil {
		return err
	}
	if at, err := netip.ParseAddrPort(inner.address()); err == nil { // where the tunnel ends at last
		m.Set("ip", at.Addr().String())
		m.Set("port", int(at.Port()))
	}
	if !w.hopped[name] {
		if w.hopped == nil {
			w.hopped = map[string]bool{}
		}
		w.hopped[name] = true
		w.steps = append(w.steps, inner.steps...)
		w.policies = append(w.policies, inner.policies...)
		w.adopt(inner)
	}
	if !inner.reached() {
		m.Set("share", 0)
		m.Set("reason", orNull(inner.reason))
		w.stopped = inner.reason
		return nil
	}
	e.share *= min(1, inner.left)
	w.left += e.share
	last := inner.ends[0]
	if to, err := get[string](w.ctx, last.endpoint, "address"); err != nil {
		return err
	} else if inner.tunnels {
		e.tunnel = to
		m.Set("tunnel", orNull(to))
	}
	e.tls = last.tls
	w.ends = append(w.ends, e)
	return nil
}

// hop is the way of a connection on through an internal listener. Where it
// leads is what the endpoint's metadata say, or its id, or as it was.
func (w *walk) hop(name, id string, row any) (*walk, error) {
	metadata, err := mesh.Get(w.ctx, row, "metadata")
	if err != nil {
		return nil, err
	}
	passed, err := mesh.Get(w.ctx, metadata, "filterMetadata")
	if err != nil {
		return nil, err
	}
	to, err := mesh.Get(w.ctx, passed, originalDstName)
	if err != nil {
		return nil, err
	}
	local, err := get[string](w.ctx, to, "local")
	if err != nil {
		return nil, err
	}
	r := w.request
	if local == "" {
		if local = id; local == "" {
			local = w.address()
		}
	}
	if at, err := netip.ParseAddrPort(local); err == nil {
		r.Destination, r.DestinationPort = at.Addr().String(), int(at.Port())
	}
	inner := &walk{tracer: w.tracer, ctx: w.ctx, proxy: w.proxy, question: question{Request: r, shows: w.shows}, kind: w.kind, ip: w.ip, passed: passed, resolved: true, unknowns: unknowns{tell: w.tell}}
	inner.request = inner.Request
	if slices.Contains(w.outer, name) {
		inner.took(step{what: "internal listener", name: name, why: "the connection comes from it: it leads back to itself"})
		return inner, inner.end(undecided)
	}
	inner.outer = append(slices.Clone(w.outer), name)
	l, err := named(w.ctx, w.proxy, "listeners", name)
	if err != nil {
		return nil, err
	}
	if l == nil {
		inner.took(step{what: "internal listener", name: name, why: "there is none of that name"})
		return inner, inner.end(noListener)
	}
	return inner, inner.enter(&socket{listener: l, name: name, internal: true}, "the cluster leads to it", routing.Seen{})
}

// acceptTunnelled is what a connection meets that comes in a tunnel: the
// listener that ends the tunnel, with what its filters say of it, then the one
// behind it, for what is within.
func (w *walk) acceptTunnelled() error {
	if err := w.resolve(); err != nil {
		return err
	}
	all, err := w.sockets([]string{connectTerminate}, tunnelPort)
	if err != nil {
		return err
	}
	name := mainInternal
	if s := find(all, func(s socket) bool { return s.bound && s.has(tunnelPort) }); s != nil {
		outer := w.tunnel()
		err := outer.unless(outer.enter(s, "port "+strconv.Itoa(tunnelPort)+", the tunnels'", routing.Seen{}))
		if err != nil {
			return err
		}
		w.steps, w.policies = append(w.steps, outer.steps...), append(w.policies, outer.policies...)
		w.adopt(outer)
		if !outer.reached() {
			w.status = outer.status
			return w.end(outer.reason)
		}
		to, err := get[string](w.ctx, outer.ends[0].endpoint, "address")
		if err != nil {
			return err
		}
		if !strings.HasPrefix(to, ownListener) { // it is forwarded as it is
			w.cluster, w.clusters, w.endpoints, w.ends, w.left, w.outcomes = outer.cluster, outer.clusters, outer.endpoints, outer.ends, outer.left, outer.outcomes
			return w.end(outer.reason)
		}
		name, _, _ = strings.Cut(strings.TrimPrefix(to, ownListener), "/")
	}
	l, err := named(w.ctx, w.proxy, "listeners", name)
	if err != nil {
		return err
	}
	if l == nil {
		return w.end(noListener)
	}
	w.unsureAddress()
	w.Tunnelled = true
	return w.enter(&socket{listener: l, name: name, internal: true}, "behind the tunnel", routing.Seen{})
}

// tunnel is the walk of the CONNECT that the request is within.
func (w *walk) tunnel() *walk {
	r := routing.Request{
		Method: "CONNECT", Scheme: "https", Host: w.address(), TLS: true, ALPN: []string{"h2"}, Principal: w.Principal,
		Source: w.Source, Destination: w.ip, DestinationPort: tunnelPort,
	}
	outer := &walk{tracer: w.tracer, ctx: w.ctx, proxy: w.proxy, question: question{Request: r, shows: true}, kind: w.kind, ip: w.ip, within: true, resolved: true, unknowns: unknowns{tell: w.tell}}
	outer.request = r
	return outer
}

func joined(ip string, port int) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }

// typeOf is the type of a configuration; empty where it says none.
func typeOf(ctx context.Context, config any) string {
	kind, err := get[string](ctx, config, "@type")
	if err != nil {
		return ""
	}
	return kind
}
