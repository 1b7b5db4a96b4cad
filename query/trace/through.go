package trace

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/query/request"
	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// istioALPN returns the protocols that one Istio proxy offers to another for
// HTTP/1.1.
func istioALPN() []string { return []string{"istio-http/1.1", "istio", "http/1.1"} }

// setSource reads the origin of the request. The origin is an address, or a proxy,
// whose address and identity the request then has. Between a proxy and the proxy at
// which the request arrives, the connection uses mutual TLS.
func (w *walk) setSource() error {
	if request.SetAddress(&w.Source, &w.SourcePort, w.from) {
		return nil
	}
	all, why, err := w.registry.list("proxies")
	if err != nil {
		return err
	}
	if why != "" {
		return fmt.Errorf("from %s: %s", w.from, why)
	}
	proxies, _, err := document.ProxiesOf(w.ctx, orEmpty(all))
	if err != nil {
		return err
	}
	if proxies.Named(w.from) == nil {
		isWorkload, err := ambient{w}.setSourceWorkload()
		if err != nil || isWorkload {
			return err
		}
	}
	source, _, err := proxies.One(w.from)
	if err != nil {
		return err
	}
	w.hasCertificate = true
	r := w.reader()
	if w.Source = r.Text(source, "ip"); r.Err != nil {
		return r.Err
	}
	if w.Principal == "" {
		if w.Principal, err = w.identityOf(source); err != nil {
			return err
		}
	}
	if w.inbound && !w.TLS && w.ALPN == nil {
		w.TLS, w.ALPN = true, istioALPN()
		if w.Scheme == routing.Bytes {
			w.ALPN = []string{"istio-peer-exchange", "istio"}
		}
	}
	return nil
}

// identityOf returns the SPIFFE identity in a proxy's own certificate, or an empty
// string if it can't be read.
func (w *walk) identityOf(proxy any) (string, error) {
	some, err := narrowed(w.ctx, proxy, "secrets", mesh.Hint{By: "name", Names: []string{"default"}})
	r := w.reader()
	for _, s := range some {
		if r.Text(s, "name") != "default" {
			continue
		}
		for _, n := range r.List(s, "subjectAltNames") {
			if id, ok := n.(string); ok && strings.HasPrefix(id, "spiffe://") {
				return id, nil
			}
		}
		break
	}
	if err == nil {
		err = r.Err
	}
	if err != nil && w.ctx.Err() == nil { // the caller reports the fault if the result of the trace depends on the identity
		errors.As(err, &w.identityFault)
		return "", nil
	}
	return "", err
}

// enterEndpoints follows the request into the proxies of the endpoints that it
// reaches.
func (w *walk) enterEndpoints() error {
	all, why, err := w.registry.list("proxies")
	if err != nil {
		return err
	}
	if why != "" {
		w.unsure("the endpoints' proxies (" + why + ")")
		w.notifyOf(w.registry.fault)
		return nil
	}
	principal := ""
	if w.source != nil {
		principal = w.source.Identity()
	} else if principal, err = w.identityOf(w.proxy); err != nil {
		return err
	}
	reason, left := "", 0.0
	w.outcomes = slices.DeleteFunc(w.outcomes, func(o outcome) bool { return arrives(o.reason) })
	for _, e := range w.ends {
		next, err := w.enterEndpoint(all, e, principal)
		if err != nil {
			return err
		}
		if next == nil || next.proxy == nil {
			if next != nil && next.reason == notKnown { // the endpoint's ztunnel could not be determined
				w.addOutcome(notKnown, e.share)
				reason = notKnown
				continue
			}
			left += e.share // the endpoint has no proxy, or its ztunnel is not known
			w.addOutcome(e.reason, e.share)
			continue
		}
		v, err := next.result()
		if err != nil {
			return err
		}
		w.report.through = append(w.report.through, v)
		left += e.share * min(1, next.left)
		w.adoptUnknowns(&next.report)
		for _, o := range next.allOutcomes() {
			w.addOutcome(o.reason, e.share*o.share)
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

// enterEndpoint follows the request through the proxy of an endpoint. It returns
// nil if the endpoint has no proxy. If the endpoint's ztunnel is not known, it
// returns a walk without a proxy.
func (w *walk) enterEndpoint(all []any, e end, principal string) (*walk, error) {
	if !w.followsEnd(e) {
		return nil, nil
	}
	r := w.reader()
	ip, port := r.Text(e.endpoint, "ip"), r.Number(e.endpoint, "port")
	at := ip
	if to, err := netip.ParseAddrPort(e.tunnel); err == nil {
		at = to.Addr().String()
	}
	proxy := proxyAt(r, all, at)
	if r.Err != nil {
		return nil, r.Err
	}
	q, err := w.onward(e, ip, port, principal)
	if err != nil {
		return nil, err
	}
	next := newWalk(w.registry.tracer, w.ctx, proxy, q, w.notify)
	next.identityFault = w.identityFault
	if proxy == nil {
		if e.waypoint != "" || e.beyond != "" {
			if e.waypoint != "" && e.beyond == "" {
				w.addMissing(w.proxy, unknown{"the waypoint " + e.waypoint, "its proxy at " + at + " is not in what was read"})
			}
			return next, next.end(notKnown)
		}
		err := ambient{next}.acceptAtNode(all, arrival{from: w, workload: r.Text(e.endpoint, "workload")})
		if err != nil && next.isUnreadable(err) {
			w.adoptUnknowns(&next.report)
			return next, next.end(notKnown)
		}
		w.adoptUnknowns(&next.report)
		return next, err
	}
	if r.Text(proxy, "type") == mesh.AgentGateway && r.Err == nil {
		err := next.endMissing("the way through "+idOf(proxy), "an agentgateway's configuration can't be read")
		w.adoptUnknowns(&next.report)
		return next, err
	}
	if err := next.begin(); err != nil {
		return nil, err
	}
	if err := next.endAtFault(next.accept()); err != nil {
		return nil, err
	}
	if !w.visited[proxy] && next.reached() && next.kind == waypoint { // a waypoint forwards to the workload's own proxy
		next.question.through = throughAll
		next.visited = map[*mesh.Object]bool{proxy: true}
		maps.Copy(next.visited, w.visited)
		return next, next.enterEndpoints()
	}
	return next, nil
}

// onward returns the request as it arrives at the endpoint's proxy.
func (w *walk) onward(e end, ip string, port int, principal string) (question, error) {
	q := question{Request: w.request, inbound: true}
	q.Source, q.SourcePort, q.DirectSource, q.Principal = w.ip, 0, "", ""
	q.Destination, q.DestinationPort = ip, port
	if q.Tunnelled = e.tunnel != ""; q.Tunnelled {
		q.Principal, q.hasCertificate = principal, true
	}
	if e.tls == nil || q.Tunnelled {
		if w.source != nil { // a ztunnel forwards the client's bytes, and so its TLS, too
			q.TLS, q.SNI, q.NoSNI, q.ALPN = w.request.TLS, w.request.SNI, w.request.NoSNI, w.request.ALPN
			q.NoCertificate = q.NoCertificate || e.tunnel == "" && !w.request.TLS
			return q, nil
		}
		if q.Scheme != routing.Bytes { // a gateway has terminated the client's TLS, so the next proxy receives plain text
			q.TLS, q.SNI, q.ALPN = false, "", nil
		}
		return q, nil
	}
	r := w.reader()
	tls := r.Message(e.tls)
	common := tls.Sub("commonTlsContext")
	q.TLS, q.Principal, q.SNI = true, principal, tls.Text("sni")
	q.hasCertificate = len(common.List("tlsCertificateSdsSecretConfigs")) > 0
	q.ALPN = common.Texts("alpnProtocols")
	if w.alpn && q.Scheme != routing.Bytes { // Istio's ALPN filter announces the protocol inside the TLS connection
		q.ALPN = istioALPN()
	}
	return q, r.Err
}
