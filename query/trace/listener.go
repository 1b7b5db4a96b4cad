package trace

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// These constants name the listeners to which Istio redirects all traffic of a
// sidecar, and the types and names of a waypoint.
const (
	virtualOutbound = "virtualOutbound"
	virtualInbound  = "virtualInbound"
	outboundPort    = 15001
	inboundPort     = 15006
	waypoint        = "waypoint"      // the type of a proxy in front of a service's workloads
	mainInternal    = "main_internal" // the listener of a waypoint for the connections inside its tunnels
)

// accept finds the listener that accepts the connection, and continues the walk
// there.
func (w *walk) accept() error {
	switch {
	case w.kind == waypoint, w.Tunnelled && w.inbound:
		return w.acceptTunnelled()
	case w.inbound && w.kind != "router":
		return w.acceptRedirected(virtualInbound, inboundPort)
	case w.isOutbound():
		return w.acceptRedirected(virtualOutbound, outboundPort)
	}
	return w.acceptAtPort()
}

// acceptRedirected finds the listener of a sidecar. All connections of the
// sidecar's workload are redirected to one listener, which may hand them off to the
// listener of their original destination.
func (w *walk) acceptRedirected(name string, port int) error {
	all, err := w.sockets([]string{name}, w.DestinationPort)
	if err != nil {
		return err
	}
	first := findSocket(all, isNamed(name))
	if first == nil {
		first = findSocket(all, isBoundTo(port))
	}
	if first == nil { // without redirection, the client connects to the proxy itself
		first = findSocket(all, isBoundTo(w.DestinationPort))
	}
	if first == nil {
		return w.endNoListener(all)
	}
	seen, err := routing.Inspect(w.ctx, &w.registry.tracer.cache, first.listener, w.Request, routing.Seen{})
	if err != nil {
		return err
	}
	if !first.handsOff {
		return w.enter(first, "it accepts all redirected connections", seen)
	}
	next, why, err := w.handOff(first, all)
	if err != nil {
		return err
	}
	if next == nil { // the listener's name may not follow Istio's convention
		if all, err = w.loadedSockets(); err != nil {
			return err
		}
		if next, why, err = w.handOff(first, all); err != nil {
			return err
		}
	}
	if next == nil {
		next = first
	}
	return w.enter(next, why, seen)
}

// handOff returns the listener of the original destination: the one at its address,
// or else the one at its port. It returns nil if there is none.
func (w *walk) handOff(from *socket, all []socket) (*socket, string, error) {
	isOther := func(s socket) bool { return s.name != from.name }
	listensAt := func(is func(netip.Addr) bool) *socket {
		return findSocket(all, func(s socket) bool {
			return isOther(s) && slices.ContainsFunc(s.at, func(b bindAddress) bool { return int(b.Port()) == w.DestinationPort && is(b.Addr()) })
		})
	}
	special := listensAt(func(a netip.Addr) bool { return !a.IsUnspecified() })
	v4 := listensAt(func(a netip.Addr) bool { return a == netip.IPv4Unspecified() })
	v6 := listensAt(func(a netip.Addr) bool { return a == netip.IPv6Unspecified() })
	if special != nil || v4 != nil && v6 != nil && v4 != v6 { // which listener accepts the connection depends on its address
		if err := w.resolve(); err != nil {
			return nil, "", err
		}
		w.addNoAddress()
	}
	addr, _ := netip.ParseAddr(w.Destination)
	s := bestSocket(all, addr, w.DestinationPort, isOther)
	port := strconv.Itoa(w.DestinationPort)
	switch {
	case s == nil:
		return nil, "no listener of port " + port + " to hand the connection to", nil
	case slices.ContainsFunc(s.at, func(b bindAddress) bool { return b.rank(addr, w.DestinationPort) == 3 }):
		return s, "destination " + net.JoinHostPort(w.Destination, port), nil
	}
	return s, "destination port " + port, nil
}

// acceptAtPort finds the listener of a gateway. The client connects to the
// listener's port itself, or to a port of the gateway's service that maps to it.
func (w *walk) acceptAtPort() error {
	if w.Destination == "" {
		w.Destination, w.resolved = w.ip, true
	}
	all, err := w.sockets(nil, w.DestinationPort)
	if err != nil {
		return err
	}
	addr, _ := netip.ParseAddr(w.Destination)
	if s := bestSocket(all, addr, w.DestinationPort, isBound); s != nil {
		return w.enter(s, "port "+strconv.Itoa(w.DestinationPort), routing.Seen{})
	}
	port, service, err := w.registry.targetPort(w.proxy, w.DestinationPort, w.unsure)
	if err != nil {
		return err
	}
	if fault := w.registry.fault; fault != nil { // a service that was not read may map to a listener's port
		if err := w.endNoListener(all); err != nil {
			return err
		}
		return w.endAtFault(fault)
	}
	if port == 0 || port == w.DestinationPort {
		return w.endNoListener(all)
	}
	w.addStep(step{what: "service", name: service, why: "port " + strconv.Itoa(w.DestinationPort) + " leads to " + strconv.Itoa(port)})
	w.servicePort, w.DestinationPort = w.DestinationPort, port
	if all, err = w.sockets(nil, port); err != nil {
		return err
	}
	if s := bestSocket(all, addr, port, isBound); s != nil {
		return w.enter(s, "port "+strconv.Itoa(port), routing.Seen{})
	}
	return w.endNoListener(all)
}

// endNoListener ends the walk if no listener accepts the connection. The step lists
// first the listeners of that port that are not in use, then at most five listeners
// that are bound.
func (w *walk) endNoListener(all []socket) error {
	var near []any
	for _, s := range all {
		if s.isBound && len(s.at) > 0 && len(near) < 5 {
			near = append(near, object.Of("name", orNull(s.name), "why", "it listens at "+s.at[0].String()))
		}
	}
	why := "none at port " + strconv.Itoa(w.DestinationPort)
	for _, s := range w.idle {
		if !s.hasPort(w.DestinationPort) {
			continue
		}
		state, err := w.whyIdle(s)
		if err != nil {
			return err
		}
		near = slices.Insert(near, 0, any(object.Of("name", orNull(s.name), "why", state)))
		why += ": " + s.name + " is not in use"
	}
	w.addStep(step{what: "listener", why: why, near: near})
	return w.end(noListener)
}

// whyIdle returns the reason why Envoy does not use a listener.
func (w *walk) whyIdle(s socket) (string, error) {
	r := w.reader()
	state := r.Text(s.listener, "state")
	why := "it is " + state
	switch state {
	case "WARMING":
		waits, err := w.awaitedSecrets(s.listener)
		if err != nil {
			return "", err
		}
		if why += ", so its port is not open yet"; waits != "" {
			why += ": it waits for secret " + waits
		}
	case "REJECTED":
		if text := r.Text(s.listener, "error"); text != "" {
			why += ": " + strings.TrimSpace(text)
		}
	}
	return why, r.Err
}

// addNewer adds the newer versions of a listener that are not in use, because Envoy
// rejected them or waits for something that they need.
func (w *walk) addNewer(s *socket) error {
	r := w.reader()
	for _, other := range w.idle {
		if other.name != s.name {
			continue
		}
		if state := r.Text(other.listener, "state"); state != "REJECTED" && state != "WARMING" {
			continue
		}
		why, err := w.whyIdle(other)
		if err != nil {
			return err
		}
		w.addStep(step{what: "newer listener", name: s.name, why: strings.ReplaceAll(why, ", so its port is not open yet", "")})
	}
	return r.Err
}

// enter continues the walk in a listener, at the filter chain that accepts the
// connection.
func (w *walk) enter(s *socket, why string, seen routing.Seen) error {
	what := "listener"
	if s.isInternal {
		what = "internal listener"
	}
	w.addStep(step{what: what, name: s.name, why: why})
	if err := w.addNewer(s); err != nil {
		return err
	}
	if err := w.resolveForChains(s.listener); err != nil {
		return err
	}
	taken, err := routing.Chain(w.ctx, &w.registry.tracer.cache, envoyOf(w.ctx, w.proxy), s.listener, w.Request, seen)
	if err != nil {
		return err
	}
	w.unsure(taken.Unsupported)
	r := w.reader()
	near, err := almost(r, taken.Near)
	if err != nil {
		return err
	}
	if taken.Chain == nil {
		w.endNoChain(near)
		if taken.Unsupported != "" {
			return w.end(undecided)
		}
		return nil
	}
	name, istio, match := r.Text(taken.Chain, "name"), istioOrigin(r, taken.Chain), r.Get(taken.Chain, "filterChainMatch")
	if r.Err != nil {
		return r.Err
	}
	if !taken.Default && len(near) > 0 && name == "" { // if a listener has only one chain, the step needs no name
		name = "unnamed"
	}
	w.addStep(step{what: "filter chain", name: name, why: taken.Why, istio: istio, near: near, object: match})
	return w.enterChain(s.listener, taken.Chain)
}

// endNoChain ends the walk if no filter chain accepts the connection.
func (w *walk) endNoChain(near []any) {
	if w.Destination != "" || w.noAddress == "" {
		w.addStep(step{what: "filter chain", why: "none matches, so the connection is closed", near: near})
		w.reason = noChain
		return
	}
	w.addStep(step{what: "filter chain", why: "none matches what is known"})
	if w.reason = undecided; w.servicesFault != nil { // the address may be that of a service that was not read
		w.reason = notKnown
	}
}

// resolveForChains looks up the destination's address if a filter chain of the
// listener has a condition on it.
func (w *walk) resolveForChains(listener any) error {
	if w.Destination != "" || w.resolved {
		return nil
	}
	r := w.reader()
	byAddress := slices.ContainsFunc(r.List(listener, "filterChains"), func(chain any) bool {
		return r.Get(chain, "filterChainMatch", "prefixRanges") != nil
	})
	if r.Err != nil || !byAddress {
		return r.Err
	}
	if err := w.resolve(); err != nil {
		return err
	}
	w.addNoAddress()
	return nil
}

// checkCertificate reports whether Envoy has a certificate for the TLS of a filter
// chain. Without one, Envoy resets each connection. Envoy lists each secret that it
// has requested, even one that it still waits for. So if a dump doesn't list the
// secret, it isn't known whether Envoy has it. An expired certificate is added as a
// step: Envoy uses it, and clients refuse it.
func (w *walk) checkCertificate(names []string) (bool, error) {
	if len(names) == 0 {
		return true, nil
	}
	secrets, err := narrowed(w.ctx, w.proxy, "secrets", mesh.Hint{By: "name", Names: names})
	if err != nil {
		if w.isUnreadable(err) {
			return true, nil
		}
		return false, err
	}
	r := w.reader()
	used, listed, why := false, false, ""
	for _, name := range names {
		c := findCertificate(r, secrets, name)
		used, listed = used || c.isUsed, listed || c.isListed
		if why == "" {
			why = c.unused
		}
		if c.invalid != "" {
			w.addStep(step{what: "certificate", name: name, why: c.invalid})
		}
	}
	if r.Err != nil {
		return false, r.Err
	}
	if !listed {
		w.addMissing(w.proxy, unknown{"secrets", "the dump does not say whether Envoy has the certificate " + strings.Join(names, ", ")})
		return true, nil
	}
	if !used {
		w.addStep(step{what: "certificate", name: strings.Join(names, ", "), why: why + ", so the connection is reset"})
	}
	return used, nil
}

// awaitedSecrets returns the names of the secrets that a WARMING listener waits
// for, joined by commas.
func (w *walk) awaitedSecrets(listener any) (string, error) {
	r := w.reader()
	secrets := r.List(w.proxy, "secrets")
	if r.Err != nil {
		if w.isUnreadable(r.Err) {
			return "", nil
		}
		return "", r.Err
	}
	var awaited []string
	for _, chain := range r.List(listener, "filterChains") {
		tls, _ := downstreamTLS(r, chain)
		for _, name := range certificateSecrets(tls) {
			if !findCertificate(r, secrets, name).isUsed && !slices.Contains(awaited, name) {
				awaited = append(awaited, name)
			}
		}
	}
	return strings.Join(awaited, ", "), r.Err
}
