package library

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/library/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// The listeners that traffic is caught by, and what they are called.
const (
	virtualOutbound = "virtualOutbound"
	virtualInbound  = "virtualInbound"
	mainInternal    = "main_internal" // of a waypoint, behind its tunnels
	outboundPort    = 15001
	inboundPort     = 15006
)

// socket is a listener with where it listens.
type socket struct {
	listener any
	name     string
	at       []netip.AddrPort
	catches  bool // it hands on to the listener of the original destination
	bound    bool // it has a port of its own
}

// accept finds the listener that takes the connection, and goes on with it.
func (w *walk) accept() error {
	switch {
	case w.kind == "waypoint":
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
			return w.end(noListener)
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
	if next == nil {
		return w.enter(first, why, seen)
	}
	return w.enter(next, why, seen)
}

// handOff gives the listener of the original destination: of the very address,
// else of its port; nil where there is none.
func (w *walk) handOff(from *socket, all []socket) (*socket, string, error) {
	var any *socket
	special := false
	for i := range all {
		s := &all[i]
		for _, at := range s.at {
			if s.name == from.name || int(at.Port()) != w.DestinationPort {
				continue
			}
			if at.Addr().IsUnspecified() {
				if any == nil || at.Addr().Is4() {
					any = s
				}
			} else {
				special = true
			}
		}
	}
	port := ":" + strconv.Itoa(w.DestinationPort)
	if special {
		if err := w.resolve(); err != nil {
			return nil, "", err
		}
		addr, _ := netip.ParseAddr(w.Destination)
		if s := find(all, func(s socket) bool { return s.name != from.name && s.is(addr, w.DestinationPort) }); s != nil {
			return s, "destination " + w.Destination + port, nil
		}
		if w.unknown != "" {
			w.unsure(w.unknown)
		}
	}
	if any == nil {
		return nil, "no listener of port " + strconv.Itoa(w.DestinationPort) + " to hand it on to", nil
	}
	return any, "destination port " + strconv.Itoa(w.DestinationPort), nil
}

// acceptTunnelled is a waypoint, behind the tunnel that a connection comes in.
func (w *walk) acceptTunnelled() error {
	if err := w.resolve(); err != nil {
		return err
	}
	l, err := named(w.ctx, w.proxy, "listeners", mainInternal)
	if err != nil {
		return err
	}
	if l == nil {
		return w.end(noListener)
	}
	if w.unknown != "" {
		w.unsure(w.unknown)
	}
	return w.enter(&socket{listener: l, name: mainInternal}, "behind the tunnel", routing.Seen{})
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
	bound := func(s socket) bool { return s.bound && s.has(w.DestinationPort) }
	if s := find(all, bound); s != nil {
		return w.enter(s, "port "+strconv.Itoa(w.DestinationPort), routing.Seen{})
	}
	port, service, err := w.targetPort()
	if err != nil {
		return err
	}
	if port == 0 || port == w.DestinationPort {
		return w.end(noListener)
	}
	w.took(step{what: "service", name: service, why: "port " + strconv.Itoa(w.DestinationPort) + " leads to " + strconv.Itoa(port)})
	w.servicePort, w.DestinationPort = w.DestinationPort, port
	if all, err = w.sockets(nil, port); err != nil {
		return err
	}
	if s := find(all, bound); s != nil {
		return w.enter(s, "port "+strconv.Itoa(port), routing.Seen{})
	}
	return w.end(noListener)
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

func (s socket) is(addr netip.Addr, port int) bool {
	for _, at := range s.at {
		if at.Addr() == addr && int(at.Port()) == port {
			return true
		}
	}
	return false
}

// sockets gives the listeners in use that have one of the names, or a port.
// Istio writes the port at the end of a listener's name, so that a live Envoy
// is asked for these only; where nothing is called as Istio calls it, for all.
func (w *walk) sockets(names []string, port int) ([]socket, error) {
	section, err := mesh.Get(w.ctx, w.proxy, "listeners")
	if err != nil {
		return nil, err
	}
	hint := mesh.Hint{By: "name", Names: names, Patterns: []string{"(?s).*" + regexp.QuoteMeta("_"+strconv.Itoa(port))}}
	some, err := narrowed(w.ctx, section, hint)
	if err != nil {
		return nil, err
	}
	out, fit, err := w.read(some, names, port)
	if err != nil || fit {
		return out, err
	}
	all, err := mesh.Force(w.ctx, section)
	if err != nil {
		return nil, err
	}
	some, _ = all.([]any)
	out, _, err = w.read(some, nil, 0)
	return out, err
}

// read reads where listeners listen. fit tells whether those that were looked
// for are among them.
func (w *walk) read(some []any, names []string, port int) (out []socket, fit bool, err error) {
	wanted, end := len(names), "_"+strconv.Itoa(port)
	for _, l := range some {
		name, err := get[string](w.ctx, l, "name")
		if err != nil {
			return nil, false, err
		}
		if port != 0 && !strings.HasSuffix(name, end) && !slices.Contains(names, name) {
			continue
		}
		used, err := inUse(w.ctx, l)
		if err != nil {
			return nil, false, err
		}
		if !used {
			continue
		}
		s, err := w.socket(l)
		if err != nil {
			return nil, false, err
		}
		if slices.Contains(names, name) {
			wanted--
		}
		fit = fit || names == nil && s.bound && s.has(port)
		out = append(out, s)
	}
	return out, fit || names != nil && wanted <= 0, nil
}

func (w *walk) socket(l any) (s socket, err error) {
	s.listener = l
	if s.name, err = get[string](w.ctx, l, "name"); err != nil {
		return s, err
	}
	on, err := get[bool](w.ctx, l, "useOriginalDst")
	if err != nil {
		return s, err
	}
	s.catches = on
	bind, err := mesh.Get(w.ctx, l, "bindToPort")
	if err != nil {
		return s, err
	}
	s.bound = bind != false
	first, err := mesh.Get(w.ctx, l, "address")
	if err != nil {
		return s, err
	}
	addresses := []any{first}
	more, err := get[[]any](w.ctx, l, "additionalAddresses")
	if err != nil {
		return s, err
	}
	for _, m := range more {
		a, err := mesh.Get(w.ctx, m, "address")
		if err != nil {
			return s, err
		}
		addresses = append(addresses, a)
	}
	for _, a := range addresses {
		sa, err := mesh.Get(w.ctx, a, "socketAddress")
		if err != nil {
			return s, err
		}
		host, err := get[string](w.ctx, sa, "address")
		if err != nil {
			return s, err
		}
		port, err := get[int](w.ctx, sa, "portValue")
		if err != nil {
			return s, err
		}
		if addr, err := netip.ParseAddr(host); err == nil {
			s.at = append(s.at, netip.AddrPortFrom(addr, uint16(port)))
		}
	}
	return s, nil
}

// enter goes on in a listener: to its filter chain.
func (w *walk) enter(s *socket, why string, seen routing.Seen) error {
	w.took(step{what: "listener", name: s.name, why: why})
	if err := w.needDestination(s.listener); err != nil {
		return err
	}
	taken, err := routing.Chain(w.ctx, w.cache, s.listener, w.Request, seen)
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
		w.unsure(w.unknown)
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
