package trace

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
)

// These are Istio's names for the parts of an ambient mesh's tunnels. The tunnels
// use HBONE: mutual TLS around HTTP/2 CONNECT.
const (
	tunnelPort       = 15008
	connectTerminate = "connect_terminate"                   // the listener at the port of HBONE tunnels
	originalDstName  = "envoy.filters.listener.original_dst" // the metadata with the destination of a tunnel
)

// internalAddress is the prefix of the address of an internal listener. The
// document has such addresses as "envoy://connect_originate/10.0.0.7:9080", with
// the listener's name and an endpoint id.
const internalAddress = "envoy://"

// reach adds an endpoint that receives a share of the requests. If the endpoint is
// an internal listener of the proxy, the walk continues through that listener, its
// filter chain and its cluster.
func (w *walk) reach(e end, row any) error {
	address, _ := e.endpoint.Get("address").(string)
	name, id, _ := strings.Cut(strings.TrimPrefix(address, internalAddress), "/")
	if !strings.HasPrefix(address, internalAddress) || w.isTunnel {
		w.left += e.share
		w.ends = append(w.ends, e)
		return nil
	}
	inner, err := w.enterInternal(name, id, row)
	if err != nil {
		return err
	}
	if at, err := netip.ParseAddrPort(inner.address()); err == nil { // the destination after the end of the tunnel
		e.endpoint.Set("ip", at.Addr().String())
		e.endpoint.Set("port", int(at.Port()))
	}
	if !w.visitedIn[name] {
		if w.visitedIn == nil {
			w.visitedIn = map[string]bool{}
		}
		w.visitedIn[name] = true
		w.adopt(&inner.report)
	}
	if !inner.reached() {
		e.endpoint.Set("share", 0)
		e.endpoint.Set("reason", orNull(inner.reason))
		w.stopped = inner.reason
		return nil
	}
	e.share *= min(1, inner.left)
	w.left += e.share
	last := inner.ends[0]
	if inner.opensTunnel {
		e.tunnel, _ = last.endpoint.Get("address").(string)
		e.endpoint.Set("tunnel", orNull(e.tunnel))
	}
	e.tls = last.tls
	w.ends = append(w.ends, e)
	return nil
}

// enterInternal follows a connection through an internal listener. The connection's
// destination comes from the endpoint's metadata, or else from the endpoint's id.
// Without either, it stays the same.
func (w *walk) enterInternal(name, id string, row any) (*walk, error) {
	r := w.reader()
	metadata := r.Get(row, "metadata", "filterMetadata")
	destination := r.Text(metadata, originalDstName, "local")
	if r.Err != nil {
		return nil, r.Err
	}
	request := w.request
	if destination == "" {
		if destination = id; destination == "" {
			destination = w.address()
		}
	}
	if at, err := netip.ParseAddrPort(destination); err == nil {
		request.Destination, request.DestinationPort = at.Addr().String(), int(at.Port())
	}
	inner := w.newInner(request, w.hasCertificate)
	inner.metadata = metadata
	if slices.Contains(w.outer, name) {
		inner.addStep(step{what: "internal listener", name: name, why: "the connection comes from this listener, so it would loop"})
		return inner, inner.end(undecided)
	}
	inner.outer = append(slices.Clone(w.outer), name)
	l, _, err := byName(w.ctx, w.proxy, "listeners", name)
	if err != nil {
		return nil, err
	}
	if l == nil {
		inner.addStep(step{what: "internal listener", name: name, why: "there is none of that name"})
		return inner, inner.end(noListener)
	}
	return inner, inner.enter(&socket{listener: l, name: name, isInternal: true}, "the cluster leads to it", routing.Seen{})
}

// acceptTunnelled accepts a connection that arrives in a tunnel. The listener that
// terminates the tunnel accepts the CONNECT request. Then the internal listener
// behind it accepts the connection inside the tunnel.
func (w *walk) acceptTunnelled() error {
	if err := w.resolve(); err != nil {
		return err
	}
	all, err := w.sockets([]string{connectTerminate}, tunnelPort)
	if err != nil {
		return err
	}
	name := mainInternal
	if s := findSocket(all, isBoundTo(tunnelPort)); s != nil {
		outer := w.newInner(routing.Request{
			Method: "CONNECT", Scheme: "https", Host: w.address(), TLS: true, ALPN: []string{"h2"}, Principal: w.Principal,
			Source: w.Source, Destination: w.ip, DestinationPort: tunnelPort,
		}, true)
		outer.isTunnel = true
		if err := outer.endAtFault(outer.enter(s, "port "+strconv.Itoa(tunnelPort)+", for tunnels", routing.Seen{})); err != nil {
			return err
		}
		w.adopt(&outer.report)
		if !outer.reached() {
			w.status = outer.status
			return w.end(outer.reason)
		}
		to, _ := outer.ends[0].endpoint.Get("address").(string)
		if !strings.HasPrefix(to, internalAddress) { // Envoy forwards the CONNECT request itself
			w.cluster, w.clusters, w.endpoints, w.ends, w.left, w.outcomes = outer.cluster, outer.clusters, outer.endpoints, outer.ends, outer.left, outer.outcomes
			return w.end(outer.reason)
		}
		name, _, _ = strings.Cut(strings.TrimPrefix(to, internalAddress), "/")
	}
	l, _, err := byName(w.ctx, w.proxy, "listeners", name)
	if err != nil {
		return err
	}
	if l == nil {
		return w.end(noListener)
	}
	w.addNoAddress()
	w.Tunnelled = true
	return w.enter(&socket{listener: l, name: name, isInternal: true}, "behind the tunnel", routing.Seen{})
}
