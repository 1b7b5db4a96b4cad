package trace

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// socket is a listener with the addresses at which it listens.
type socket struct {
	listener   any
	name       string
	at         []bindAddress
	handsOff   bool // useOriginalDst: the listener hands connections off to the listener of their original destination
	isBound    bool // whether the listener has a port of its own
	isInternal bool // whether the listener accepts only the proxy's own connections
}

// bindAddress is an address at which a listener listens.
type bindAddress struct {
	netip.AddrPort
	acceptsIPv4 bool // ipv4Compat: the IPv6 address also accepts IPv4 connections
}

// rank returns how well an address matches a destination: 3 for the exact address,
// 2 for the wildcard of its family, 1 for a wildcard that also accepts it, and 0
// for no match. If the destination is unknown (an invalid addr), its family is
// unknown too, and IPv4 is preferred.
func (b bindAddress) rank(addr netip.Addr, port int) int {
	v4 := !addr.IsValid() || addr.Is4()
	switch {
	case int(b.Port()) != port:
		return 0
	case addr.IsValid() && b.Addr() == addr:
		return 3
	case !b.Addr().IsUnspecified():
		return 0
	case !addr.IsValid() && b.Addr().Is6():
		return 1
	case b.Addr().Is4() == v4:
		return 2
	case v4 && b.acceptsIPv4:
		return 1
	}
	return 0
}

// bestSocket returns the listener whose address matches a destination best, among
// those for which a condition holds. It returns nil if none matches.
func bestSocket(all []socket, addr netip.Addr, port int, allowed func(socket) bool) *socket {
	var best *socket
	most := 0
	for i := range all {
		for _, b := range all[i].at {
			if n := b.rank(addr, port); n > most && allowed(all[i]) {
				best, most = &all[i], n
			}
		}
	}
	return best
}

func findSocket(all []socket, is func(socket) bool) *socket {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return &all[i]
	}
	return nil
}

func isBound(s socket) bool { return s.isBound }

func isNamed(name string) func(socket) bool { return func(s socket) bool { return s.name == name } }

// isBoundTo returns a condition that holds for the listeners that are bound to a
// port.
func isBoundTo(port int) func(socket) bool {
	return func(s socket) bool { return s.isBound && s.hasPort(port) }
}

func (s socket) hasPort(port int) bool {
	return slices.ContainsFunc(s.at, func(b bindAddress) bool { return int(b.Port()) == port })
}

// sockets returns the listeners in use that have one of the names, or that listen
// at a port. Istio puts the port at the end of a listener's name, so sockets
// requests only the listeners with such names from a live Envoy. It requests all
// listeners only if no name follows Istio's convention.
func (g *configuration) sockets(names []string, port int) ([]socket, error) {
	hint := mesh.Hint{By: "name", Names: names, Patterns: []string{"(?s).*" + regexp.QuoteMeta("_"+strconv.Itoa(port))}}
	some, err := narrowed(g.ctx, g.proxy, "listeners", hint)
	if err != nil {
		return nil, err
	}
	out, found, err := g.socketsOf(some, names, port)
	if err != nil || found {
		return out, err
	}
	return g.allSockets()
}

// allSockets returns all listeners in use.
func (g *configuration) allSockets() ([]socket, error) {
	r := g.reader()
	all := r.List(g.proxy, "listeners")
	if r.Err != nil {
		return nil, r.Err
	}
	out, _, err := g.socketsOf(all, nil, 0)
	return out, err
}

// loadedSockets returns all listeners in use if they are already loaded. Otherwise
// it returns none, because a live Envoy would have to send megabytes for them.
func (g *configuration) loadedSockets() ([]socket, error) {
	r := g.reader()
	section := r.Get(g.proxy, "listeners")
	if n, ok := section.(mesh.Narrower); ok {
		if _, isLoaded := n.Forced(); !isLoaded {
			return nil, r.Err
		}
	}
	return g.allSockets()
}

// socketsOf reads at which addresses the listeners listen. If port isn't 0, it
// returns only the listeners whose name ends with the port or is one of the names.
// found reports whether all names were found or, without names, whether a listener
// is bound to the port.
func (g *configuration) socketsOf(listeners []any, names []string, port int) (out []socket, found bool, err error) {
	g.idle = nil
	r := g.reader()
	missing, end := len(names), "_"+strconv.Itoa(port)
	for _, l := range listeners {
		name := r.Text(l, "name")
		if port != 0 && !strings.HasSuffix(name, end) && !slices.Contains(names, name) {
			continue
		}
		s := socketOf(r, l)
		if used := inUse(r, l); r.Err != nil {
			return nil, false, r.Err
		} else if !used {
			g.idle = append(g.idle, s)
			continue
		}
		if slices.Contains(names, name) {
			missing--
		}
		found = found || names == nil && s.isBound && s.hasPort(port)
		out = append(out, s)
	}
	return out, found || names != nil && missing <= 0, r.Err
}

func socketOf(r *document.Reader, l any) socket {
	s := socket{listener: l, name: r.Text(l, "name"), handsOff: r.Flag(l, "useOriginalDst")}
	// Up to version 1.16, Envoy has bindToPort in deprecatedV1.
	s.isBound = r.Force(r.Get(l, "bindToPort")) != false && r.Force(r.Get(l, "deprecatedV1", "bindToPort")) != false
	addresses := []any{r.Get(l, "address")}
	for _, more := range r.List(l, "additionalAddresses") {
		addresses = append(addresses, r.Get(more, "address"))
	}
	for _, a := range addresses {
		at := r.Message(r.Get(a, "socketAddress"))
		addr, err := netip.ParseAddr(at.Text("address"))
		if err == nil && at.Text("protocol") != "UDP" { // a UDP port accepts only HTTP/3
			s.at = append(s.at, bindAddress{netip.AddrPortFrom(addr, uint16(at.Number("portValue"))), at.Flag("ipv4Compat")})
		}
	}
	return s
}
