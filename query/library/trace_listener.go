package library

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

// The listeners that traffic is caught by, and what they are called.
const (
	virtualOutbound = "virtualOutbound"
	virtualInbound  = "virtualInbound"
	mainInternal    = "main_internal" // of a waypoint, behind its tunnels
	waypoint        = "waypoint"      // the type of a proxy that stands before a service's workloads
	outboundPort    = 15001
	inboundPort     = 15006
)

// socket is a listener with where it listens.
type socket struct {
	listener any
	name     string
	at       []place
	catches  bool // it hands on to the listener of the original destination
	bound    bool // it has a port of its own
	internal bool // it takes the proxy's own connections only
}

// place is an address that is listened at.
type place struct {
	netip.AddrPort
	both bool // an IPv6 one that takes IPv4 as well
}

// fits tells how well a place fits a destination: 3 for the very address, 2
// for any of its family, 1 for any that takes it too; 0: it doesn't. Where the
// address isn't known it may be of either family, and IPv4 is tried first.
func (p place) fits(addr netip.Addr, port int) int {
	v4 := !addr.IsValid() || addr.Is4()
	switch {
	case int(p.Port()) != port:
		return 0
	case addr.IsValid() && p.Addr() == addr:
		return 3
	case !p.Addr().IsUnspecified():
		return 0
	case !addr.IsValid() && p.Addr().Is6():
		return 1
	case p.Addr().Is4() == v4:
		return 2
	case v4 && p.both:
		return 1
	}
	return 0
}

// best gives the one of some listeners that fits a destination best.
func best(all []socket, addr netip.Addr, port int, is func(socket) bool) *socket {
	var out *socket
	most := 0
	for i := range all {
		for _, p := range all[i].at {
			if n := p.fits(addr, port); n > most && is(all[i]) {
				out, most = &all[i], n
			}
		}
	}
	return out
}

// accept finds the listener that takes the connection, and goes on with it.
func (w *walk) accept() error {
	switch {
	case w.kind == waypoint, w.Tunnelled && w.inbound:
		return w.acceptTunnelled()
	case w.inbound && w.kind != "router":
		return w.acceptCaught(virtualInbound, inboundPort)
	case w.outbound():
		return w.acceptCaught(virtualOutbound, outboundPort)
	}
	return w.acceptAtPort()
}

// acceptCaught is a sidecar: its workload's connections are caught by one
// listener, which may hand them on.
func (w *walk) acceptCaught(name string, port int) error {
	all, err := w.sockets([]string{name}, w.DestinationPort)
	if err != nil {
		return err
	}
	first := find(all, func(s socket) bool { return s.name == name })
	if first == nil {
		first = find(all, func(s socket) bool { return s.bound && s.has(port) })
	}
	if first == nil { // nothing is caught: it has to be asked itself
		if first = find(all, func(s socket) bool { return s.bound && s.has(w.DestinationPort) }); first == nil {
			return w.noListener(all)
		}
	}
	seen, err := routing.Inspect(w.ctx, w.cache, first.listener, w.Request, routing.Seen{})
	if err != nil {
		return err
	}
	if !first.catches {
		return w.enter(first, "it catches what comes in", seen)
	}
	next, why, err := w.handOff(first, all)
	if err != nil {
		return err
	}
	if next == nil { // it may be called otherwise than Istio calls it
		if all, err = w.listed(); err != nil {
			return err
		}
		if next, why, err = w.handOff(first, all); err != nil {
			return err
		}
	}
	if next == nil {
		return w.enter(first, why, seen)
	}
	return w.enter(next, why, seen)
}

// handOff gives the listener of the original destination: of the very address,
// else of its port; nil where there is none.
func (w *walk) handOff(from *socket, all []socket) (*socket, string, error) {
	other := func(s socket) bool { return s.name != from.name }
	at := func(is func(netip.Addr) bool) *socket {
		return find(all, func(s socket) bool {
			return other(s) && slices.ContainsFunc(s.at, func(p place) bool { return int(p.Port()) == w.DestinationPort && is(p.Addr()) })
		})
	}
	special := at(func(a netip.Addr) bool { return !a.IsUnspecified() })
	v4, v6 := at(func(a netip.Addr) bool { return a == netip.IPv4Unspecified() }), at(func(a netip.Addr) bool { return a == netip.IPv6Unspecified() })
	if special != nil || v4 != nil && v6 != nil && v4 != v6 { // the choice hangs on the address
		if err := w.resolve(); err != nil {
			return nil, "", err
		}
		w.unsureAddress()
	}
	addr, _ := netip.ParseAddr(w.Destination)
	s := best(all, addr, w.DestinationPort, other)
	port := strconv.Itoa(w.DestinationPort)
	switch {
	case s == nil:
		return nil, "no listener of port " + port + " to hand it on to", nil
	case slices.ContainsFunc(s.at, func(p place) bool { return p.fits(addr, w.DestinationPort) == 3 }):
		return s, "destination " + net.JoinHostPort(w.Destination, port), nil
	}
	return s, "destination port " + port, nil
}

// acceptAtPort is a gateway: the port itself, else that which its service
// leads to.
func (w *walk) acceptAtPort() error {
	if w.Destination == "" {
		w.Destination, w.resolved = w.ip, true
	}
	all, err := w.sockets(nil, w.DestinationPort)
	if err != nil {
		return err
	}
	addr, _ := netip.ParseAddr(w.Destination)
	bound := func(s socket) bool { return s.bound }
	if s := best(all, addr, w.DestinationPort, bound); s != nil {
		return w.enter(s, "port "+strconv.Itoa(w.DestinationPort), routing.Seen{})
	}
	port, service, err := w.targetPort()
	if err != nil {
		return err
	}
	if w.unlisted != nil { // a service may lead the port to one that is listened at
		if err := w.noListener(all); err != nil {
			return err
		}
		return w.unless(w.unlisted)
	}
	if port == 0 || port == w.DestinationPort {
		return w.noListener(all)
	}
	w.took(step{what: "service", name: service, why: "port " + strconv.Itoa(w.DestinationPort) + " leads to " + strconv.Itoa(port)})
	w.servicePort, w.DestinationPort = w.DestinationPort, port
	if all, err = w.sockets(nil, port); err != nil {
		return err
	}
	if s := best(all, addr, port, bound); s != nil {
		return w.enter(s, "port "+strconv.Itoa(port), routing.Seen{})
	}
	return w.noListener(all)
}

// mostListeners is how many listeners are told of where none fits.
const mostListeners = 5

// noListener ends the walk where nobody listens, and tells who does elsewhere.
func (w *walk) noListener(all []socket) error {
	var near []any
	for _, s := range all {
		if s.bound && len(s.at) > 0 && len(near) < mostListeners {
			near = append(near, object.Of("name", orNull(s.name), "why", "it listens at "+s.at[0].String()))
		}
	}
	why := "none at port " + strconv.Itoa(w.DestinationPort)
	for _, s := range w.idle {
		if !s.has(w.DestinationPort) {
			continue
		}
		state, err := w.idleWhy(s)
		if err != nil {
			return err
		}
		near = slices.Insert(near, 0, any(object.Of("name", orNull(s.name), "why", state)))
		why += ": " + s.name + " is not in use"
	}
	w.took(step{what: "listener", why: why, near: near})
	return w.end(noListener)
}

// idleWhy says why a listener is not in use.
func (w *walk) idleWhy(s socket) (string, error) {
	state, err := get[string](w.ctx, s.listener, "state")
	if err != nil {
		return "", err
	}
	why := "it is " + state
	switch state {
	case "WARMING":
		waits, err := w.waits(s.listener)
		if err != nil {
			return "", err
		}
		if why += ", so its port is not open yet"; waits != "" {
			why += ": it waits for secret " + waits
		}
	case "REJECTED":
		text, err := get[string](w.ctx, s.listener, "error")
		if err != nil {
			return "", err
		}
		if text != "" {
			why += ": " + strings.TrimSpace(text)
		}
	}
	return why, nil
}

// newer tells of versions of a listener that are not in use: Envoy refused the
// newer one, or waits for something that it needs.
func (w *walk) newer(s *socket) error {
	for _, other := range w.idle {
		if other.name != s.name {
			continue
		}
		state, err := get[string](w.ctx, other.listener, "state")
		if err != nil {
			return err
		}
		if state != "REJECTED" && state != "WARMING" {
			continue
		}
		why, err := w.idleWhy(other)
		if err != nil {
			return err
		}
		w.took(step{what: "newer listener", name: s.name, why: strings.ReplaceAll(why, ", so its port is not open yet", "")})
	}
	return nil
}

func find(all []socket, is func(socket) bool) *socket {
	for i := range all {
		if is(all[i]) {
			return &all[i]
		}
	}
	return nil
}

func (s socket) has(port int) bool {
	for _, at := range s.at {
		if int(at.Port()) == port {
			return true
		}
	}
	return false
}

// enter goes on in a listener: to its filter chain.
func (w *walk) enter(s *socket, why string, seen routing.Seen) error {
	what := "listener"
	if s.internal {
		what = "internal listener"
	}
	w.took(step{what: what, name: s.name, why: why})
	if err := w.newer(s); err != nil {
		return err
	}
	if err := w.needDestination(s.listener); err != nil {
		return err
	}
	taken, err := routing.Chain(w.ctx, w.cache, envoyOf(w.ctx, w.proxy), s.listener, w.Request, seen)
	if err != nil {
		return err
	}
	w.unsure(taken.Unsupported)
	if taken.Chain == nil {
		if err := w.noChain(taken); err != nil || taken.Unsupported == "" {
			return err
		}
		return w.end(undecided)
	}
	near, err := w.almost(taken.Near)
	if err != nil {
		return err
	}
	name, err := get[string](w.ctx, taken.Chain, "name")
	if err != nil {
		return err
	}
	istio, err := w.origin(taken.Chain)
	if err != nil {
		return err
	}
	match, err := mesh.Get(w.ctx, taken.Chain, "filterChainMatch")
	if err != nil {
		return err
	}
	if !taken.Default && len(near) > 0 && name == "" { // a listener of one chain needs no list
		name = "unnamed"
	}
	w.took(step{what: "filter chain", name: name, why: taken.Why, istio: istio, near: near, object: match})
	return w.chain(s.listener, taken)
}

func (w *walk) noChain(taken routing.Taken) error {
	near, err := w.almost(taken.Near)
	if err != nil {
		return err
	}
	if w.Destination == "" && w.unknown != "" {
		w.took(step{what: "filter chain", why: "none fits what is known"})
		if w.listless != nil { // the address may be in what was not read
			return w.end(notKnown)
		}
		return w.end(undecided)
	}
	w.took(step{what: "filter chain", why: "none fits, so the connection is closed", near: near})
	return w.end(noChain)
}

// needDestination looks for the destination's address where the listener
// chooses by it.
func (w *walk) needDestination(listener any) error {
	if w.Destination != "" || w.resolved {
		return nil
	}
	chains, err := get[[]any](w.ctx, listener, "filterChains")
	if err != nil {
		return err
	}
	for _, chain := range chains {
		match, err := mesh.Get(w.ctx, chain, "filterChainMatch")
		if err != nil {
			return err
		}
		ranges, err := mesh.Get(w.ctx, match, "prefixRanges")
		if err != nil || ranges == nil {
			if err != nil {
				return err
			}
			continue
		}
		if err := w.resolve(); err != nil {
			return err
		}
		w.unsureAddress()
		return nil
	}
	return nil
}

// address is the destination as ip:port; empty where it isn't known.
func (w *walk) address() string {
	if w.Destination == "" {
		return ""
	}
	return net.JoinHostPort(w.Destination, strconv.Itoa(w.DestinationPort))
}
