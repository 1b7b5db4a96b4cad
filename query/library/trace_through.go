package library

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// comesFrom reads where the request is from: an address, or a proxy with its
// address and identity, which speaks mutual TLS with the proxy it comes to.
func (w *walk) comesFrom() error {
	if intoAddress(&w.Source, &w.SourcePort, w.from) {
		return nil
	}
	all, why, err := w.section("proxies")
	if err != nil {
		return err
	}
	names := make([]mesh.Name, len(all))
	for i, p := range all {
		if names[i], err = nameOf(w.ctx, p); err != nil {
			return err
		}
	}
	at := mesh.Pick(w.from, names)
	if len(at) == 0 {
		if why != "" {
			return fmt.Errorf("from %s: %s", w.from, why)
		}
		return fmt.Errorf("no proxy named %s%s", w.from, nearest(w.from, names))
	}
	if len(at) > 1 && !oneWorkload(at, names) {
		return fmt.Errorf("%s is %d proxies: %s", w.from, len(at), listed(at, names))
	}
	source := all[at[0]]
	w.shows = true
	if w.Source, err = get[string](w.ctx, source, "ip"); err != nil {
		return err
	}
	if w.Principal == "" {
		w.Principal, err = w.identityOf(source)
	}
	if w.inbound && !w.TLS && w.ALPN == nil { // as its proxy speaks with another one
		w.TLS, w.ALPN = true, istioProtocols
		if w.Scheme == routing.Bytes {
			w.ALPN = []string{"istio-peer-exchange", "istio"}
		}
	}
	return err
}

// istioProtocols are those that a proxy of Istio offers to another one for
// HTTP/1.1.
var istioProtocols = []string{"istio-http/1.1", "istio", "http/1.1"}

// identityOf is whom a proxy's own certificate is for; empty where that can't
// be had.
func (w *walk) identityOf(proxy any) (string, error) {
	names, err := w.identities(proxy)
	if err != nil && w.ctx.Err() == nil {
		errors.As(err, &w.anonymous) // a verdict that hangs on it says that it isn't known
		return "", nil
	}
	for _, n := range names {
		if s, ok := n.(string); ok && strings.HasPrefix(s, "spiffe://") {
			return s, nil
		}
	}
	return "", err
}

func (w *walk) identities(proxy any) ([]any, error) {
	section, err := mesh.Get(w.ctx, proxy, "secrets")
	if err != nil {
		return nil, err
	}
	some, err := narrowed(w.ctx, section, mesh.Hint{By: "name", Names: []string{"default"}})
	if err != nil {
		return nil, err
	}
	for _, s := range some {
		if name, err := get[string](w.ctx, s, "name"); err != nil || name != "default" {
			if err != nil {
				return nil, err
			}
			continue
		}
		return get[[]any](w.ctx, s, "subjectAltNames")
	}
	return nil, nil
}

// goThrough follows the request into the proxies of its endpoints.
func (w *walk) goThrough() error {
	all, why, err := w.section("proxies")
	if err != nil {
		return err
	}
	if why != "" {
		w.unsure("the endpoints' proxies (" + why + ")")
		if w.unlisted != nil && w.tell != nil {
			w.tell(w.unlisted)
		}
		return nil
	}
	principal, err := w.identityOf(w.proxy)
	if err != nil {
		return err
	}
	reason, left := "", 0.0
	w.outcomes = slices.DeleteFunc(w.outcomes, func(o outcome) bool { return arrives(o.reason) })
	for _, e := range w.ends {
		next, err := w.next(all, e, principal)
		if err != nil {
			return err
		}
		if next != nil && next.proxy == nil && next.reason == notKnown { // which ztunnel could not be read
			w.outcome(notKnown, e.share)
			reason = notKnown
			continue
		}
		if next == nil || next.proxy == nil { // nothing stands before the endpoint, or it isn't known which ztunnel does
			left += e.share
			w.outcome(e.reason, e.share)
			continue
		}
		v, err := next.result()
		if err != nil {
			return err
		}
		w.through = append(w.through, v)
		left += e.share * min(1, next.left)
		w.adopt(next)
		for _, o := range next.ended() {
			w.outcome(o.reason, e.share*o.share)
		}
		if !next.reached() && reason == "" {
			reason, w.status = next.reason, next.status
		}
	}
	if w.left = left; left == 0 {
		w.reason = reason
	}
	return nil
}

// next is the walk through the proxy ahead of an endpoint; nil where there is
// none.
func (w *walk) next(all []any, e end, principal string) (*walk, error) {
	ip, err := get[string](w.ctx, e.endpoint, "ip")
	if err != nil {
		return nil, err
	}
	at := ip
	if to, err := netip.ParseAddrPort(e.tunnel); err == nil {
		at = to.Addr().String()
	}
	proxy, err := w.proxyAt(all, at)
	if err != nil {
		return nil, err
	}
	q, err := w.onward(e, ip, principal)
	if err != nil {
		return nil, err
	}
	next := &walk{tracer: w.tracer, ctx: w.ctx, proxy: proxy, question: q, anonymous: w.anonymous, unknowns: unknowns{tell: w.tell}}
	if proxy == nil {
		if e.tunnel == "" {
			return nil, nil
		}
		err := next.atNode(all, w.unsure)
		if err != nil && w.unread(err) { // the node's ztunnel, or which one that is
			return next, next.end(notKnown)
		}
		return next, err
	}
	if err := next.begin(); err != nil {
		return nil, err
	}
	if err := next.unless(next.accept()); err != nil {
		return nil, err
	}
	if !w.visited[proxy] && next.reached() && next.kind == waypoint { // it forwards: to the workload's own proxy
		next.question.through = true
		next.visited = maps.Clone(w.visited)
		if next.visited == nil {
			next.visited = map[*mesh.Object]bool{}
		}
		next.visited[proxy] = true
		return next, next.goThrough()
	}
	return next, nil
}

// proxyAt gives the sidecar that has an address; nil where there is none.
func (w *walk) proxyAt(all []any, ip string) (*mesh.Object, error) {
	if ip == "" {
		return nil, nil
	}
	for _, p := range all {
		o, ok := p.(*mesh.Object)
		if !ok {
			continue
		}
		ips, err := get[[]any](w.ctx, o, "ips")
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ips, any(ip)) {
			continue
		}
		if kind, err := get[string](w.ctx, o, "type"); err != nil || kind != mesh.ZTunnel {
			return o, err
		}
	}
	return nil, nil
}

// onward is the request as the endpoint's proxy gets it.
func (w *walk) onward(e end, ip, principal string) (question, error) {
	r := w.request
	port, err := get[int](w.ctx, e.endpoint, "port")
	if err != nil {
		return question{}, err
	}
	r.Source, r.SourcePort, r.DirectSource, r.Principal = w.ip, 0, "", ""
	r.Destination, r.DestinationPort = ip, port
	q := question{Request: r, inbound: true}
	if e.tunnel != "" {
		q.Tunnelled, q.Principal, q.shows = true, principal, true
	}
	if e.tls == nil || q.Tunnelled {
		if r.Scheme != routing.Bytes { // a gateway ended the client's TLS
			q.TLS, q.SNI, q.ALPN = false, "", nil
		}
		return q, nil
	}
	q.TLS, q.Principal = true, principal
	if q.SNI, err = get[string](w.ctx, e.tls, "sni"); err != nil {
		return q, err
	}
	common, err := mesh.Get(w.ctx, e.tls, "commonTlsContext")
	if err != nil {
		return q, err
	}
	own, err := get[[]any](w.ctx, common, "tlsCertificateSdsSecretConfigs")
	if err != nil {
		return q, err
	}
	q.shows = len(own) > 0
	protocols, err := get[[]any](w.ctx, common, "alpnProtocols")
	if err != nil {
		return q, err
	}
	q.ALPN = nil
	if w.alpn && r.Scheme != routing.Bytes { // Istio's filter says which protocol is spoken inside
		q.ALPN = istioProtocols
		return q, nil
	}
	for _, p := range protocols {
		if s, ok := p.(string); ok {
			q.ALPN = append(q.ALPN, s)
		}
	}
	return q, nil
}

// gateway is the Gateway that a virtual host of a gateway came from: one for
// the proxy, with a server of the port and the host.
func (w *walk) gateway() (string, error) {
	if w.kind != "router" {
		return "", nil
	}
	all, _, err := w.section("gateways")
	if err != nil {
		return "", err
	}
	labels, err := get[*object.Object](w.ctx, w.proxy, "labels")
	if err != nil {
		return "", err
	}
	host, _, _ := strings.Cut(strings.ToLower(w.Host), ":")
	best, found := -1, ""
	for _, g := range all {
		spec, err := mesh.Get(w.ctx, g, "spec")
		if err != nil {
			return "", err
		}
		selector, err := get[*object.Object](w.ctx, spec, "selector")
		if err != nil {
			return "", err
		}
		if fits, err := w.selects(selector, labels); err != nil {
			return "", err
		} else if !fits && selector.Len() > 0 {
			continue
		}
		n, err := w.serves(spec, host)
		if err != nil {
			return "", err
		}
		if n > best {
			name, namespace, err := metaName(w.ctx, g)
			if err != nil {
				return "", err
			}
			best, found = n, "gateway/"+name+"."+namespace
		}
	}
	return found, nil
}

// serves tells how well a Gateway's servers fit the port and a host: -1 for
// not at all, else the longer the better.
func (w *walk) serves(spec any, host string) (int, error) {
	servers, err := get[[]any](w.ctx, spec, "servers")
	if err != nil {
		return -1, err
	}
	best := -1
	for _, s := range servers {
		port, err := mesh.Get(w.ctx, s, "port")
		if err != nil {
			return -1, err
		}
		n, err := get[int](w.ctx, port, "number")
		if err != nil {
			return -1, err
		}
		if n != w.DestinationPort && n != w.servicePort {
			continue
		}
		hosts, err := get[[]any](w.ctx, s, "hosts")
		if err != nil {
			return -1, err
		}
		for _, h := range hosts {
			domain, _ := h.(string)
			if _, after, ok := strings.Cut(domain, "/"); ok { // in that namespace
				domain = after
			}
			switch {
			case domain == host:
				best = max(best, 1<<10)
			case domain == "*", strings.HasPrefix(domain, "*") && strings.HasSuffix(host, domain[1:]):
				best = max(best, len(domain))
			}
		}
	}
	return best, nil
}
