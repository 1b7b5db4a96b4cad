package ztunnel

import (
	"net/netip"
	"strconv"
	"strings"
)

// Hop is where a ztunnel sends a share of the connections of a workload.
type Hop struct {
	Share    float64
	Workload *Workload      // the workload at the next address; nil for an address outside of the mesh
	Tunnel   netip.AddrPort // where the HBONE tunnel ends; not valid without a tunnel
	To       netip.AddrPort // the destination inside the tunnel, or of the plain connection; not valid if a name has to be resolved

	// Waypoint is the waypoint through which the connection goes; nil without one.
	Waypoint *Gateway

	// Beyond describes the part of the way that the ztunnel doesn't know: the way
	// behind the gateway of another network, or to a name that only DNS resolves.
	Beyond string
}

// Outbound is the decision of a ztunnel about a connection that one of its
// workloads opens.
type Outbound struct {
	Service *Service // the service that has the destination's address; nil if none has it
	Hops    []Hop    // where connections go; their shares add up to 1 if Why is empty

	// Passthrough reports that the ztunnel sends the connection on unchanged, since
	// it knows nothing about the address.
	Passthrough bool

	Why     string   // why the connection fails; empty if it doesn't
	Unknown []string // what the decision depends on and the dump doesn't say
}

// Outbound decides where a connection from a workload to an address goes, as
// build_request in ztunnel's proxy/outbound.rs does: for the address of a service to
// the service's waypoint, or else to one of its endpoints; for the address of a
// workload to the workload's waypoint, or else to the workload; anything else is
// passed through.
func (s *State) Outbound(source *Workload, to netip.AddrPort) Outbound {
	ip := to.Addr().Unmap()
	to = netip.AddrPortFrom(ip, to.Port())
	at := s.At(ip, source.Network)
	service, unsure := s.ServiceAt(ip, source.Network, source.Namespace)
	out := Outbound{Service: service}
	if unsure {
		out.Unknown = append(out.Unknown, "which of several services has the address "+ip.String())
	}
	if service != nil && at == nil {
		if gateways := service.gateways(); len(gateways) > 0 {
			for _, g := range gateways {
				s.addWaypoint(&out, source, g.Gateway, to, g.share, service)
			}
			return out
		}
	}
	if service != nil {
		if service.mode == "Passthrough" {
			out.pass(to)
			return out
		}
		s.addEndpoints(&out, source, service, int(to.Port()))
		return out
	}
	if at == nil {
		out.pass(to)
		return out
	}
	if at.Waypoint != nil && !s.isWorkloadOf(at.Waypoint, source) {
		s.addWaypoint(&out, source, at.Waypoint, to, 1, nil)
		return out
	}
	s.addWorkload(&out, source, at, to, 1, nil)
	return out
}

func (o *Outbound) pass(to netip.AddrPort) {
	o.Passthrough, o.Hops = true, []Hop{{Share: 1, To: to}}
}

func (o *Outbound) fail(why string) {
	if o.Why == "" {
		o.Why = why
	}
}

type sharedGateway struct {
	*Gateway
	share float64
}

// gateways returns the waypoints of a service, with the share of the connections
// that each gets. Weighted waypoints take precedence, unless all weights are 0.
func (s *Service) gateways() (all []sharedGateway) {
	total := 0
	for _, w := range s.weighted {
		total += w.weight
	}
	for _, w := range s.weighted {
		if w.weight > 0 {
			all = append(all, sharedGateway{w.Gateway, float64(w.weight) / float64(total)})
		}
	}
	if all == nil && s.Waypoint != nil {
		all = []sharedGateway{{s.Waypoint, 1}}
	}
	return all
}

// addWaypoint adds the hops through a waypoint. The tunnel's destination stays the
// address to which the client connects. A ztunnel that finds no workload of the
// waypoint refuses the connection; it never goes around the waypoint.
func (s *State) addWaypoint(out *Outbound, source *Workload, g *Gateway, to netip.AddrPort, share float64, service *Service) {
	var targets []target
	switch waypoint, at := s.gatewayTarget(g, source); {
	case waypoint != nil:
		var why string
		if targets, why = s.balance(source, waypoint, g.Port, true); targets == nil {
			out.fail("the waypoint " + g.Name() + " has no endpoint: " + why)
			return
		}
	case at != nil:
		targets = []target{{at, g.Port, 1}}
	default:
		out.fail("the ztunnel doesn't know the waypoint " + g.Name())
		return
	}
	for _, t := range targets {
		if t.workload.Network != source.Network {
			s.addRemote(out, source, t.workload, to, share*t.share, service, g)
			continue
		}
		ip := t.workload.IP()
		if !ip.IsValid() {
			out.fail("the waypoint " + t.workload.ID() + " has no address")
			continue
		}
		out.Hops = append(out.Hops, Hop{
			Share: share * t.share, Workload: t.workload, Waypoint: g, To: to,
			Tunnel: netip.AddrPortFrom(ip, uint16(t.port)),
		})
	}
}

// gatewayTarget returns the service or the workload that a gateway is. Both are nil
// if the ztunnel knows neither.
func (s *State) gatewayTarget(g *Gateway, source *Workload) (*Service, *Workload) {
	if g.Host == "" {
		if service, _ := s.ServiceAt(g.Address, g.Network, source.Namespace); service != nil {
			return service, nil
		}
		return nil, s.At(g.Address, g.Network)
	}
	if service := s.ServiceNamed(g.Host); service != nil {
		return service, nil
	}
	namespace, host, _ := strings.Cut(g.Host, "/")
	for _, w := range s.workloads {
		if w.Hostname == host && w.Namespace == namespace {
			return nil, w
		}
	}
	return nil, nil
}

// isWorkloadOf reports whether a workload is one of a gateway.
func (s *State) isWorkloadOf(g *Gateway, w *Workload) bool {
	service, at := s.gatewayTarget(g, w)
	if service == nil {
		return at == w
	}
	for _, e := range service.endpoints {
		if s.endpointWorkload(e) == w {
			return true
		}
	}
	return false
}

// IsWaypoint reports whether a workload is a waypoint of a service or of a workload
// that the ztunnel knows. A nil gateway has no workloads.
func (s *State) IsWaypoint(g *Gateway, w *Workload) bool {
	return g != nil && w != nil && s.isWorkloadOf(g, w)
}

// addEndpoints adds the hops to the endpoints of a service.
func (s *State) addEndpoints(out *Outbound, source *Workload, service *Service, port int) {
	targets, why := s.balance(source, service, port, false)
	if targets == nil {
		out.fail(why)
		return
	}
	for _, t := range targets {
		to := netip.AddrPortFrom(t.workload.IP(), uint16(t.port))
		if t.workload.Network != source.Network {
			s.addRemote(out, source, t.workload, netip.AddrPortFrom(netip.Addr{}, uint16(port)), t.share, service, nil)
			continue
		}
		s.addWorkload(out, source, t.workload, to, t.share, service)
	}
}

// addWorkload adds the hop to a workload in the network of the source. It is in a
// tunnel if the workload accepts HBONE.
func (s *State) addWorkload(out *Outbound, source, w *Workload, to netip.AddrPort, share float64, service *Service) {
	if w.Network != source.Network {
		s.addRemote(out, source, w, to, share, service, nil)
		return
	}
	hop := Hop{Share: share, Workload: w, To: to}
	switch {
	case !to.Addr().IsValid() && w.Hostname == "":
		out.fail("the workload " + w.ID() + " has no address")
		return
	case !to.Addr().IsValid():
		hop.To, hop.Beyond = netip.AddrPort{}, "the address of "+w.Hostname+" (DNS resolves it)"
	case w.Protocol == HBONE:
		hop.Tunnel = netip.AddrPortFrom(to.Addr(), TunnelPort)
	case w.Protocol != TCP && w.Protocol != "": // TCP is the default of ztunnel's InboundProtocol
		hop.Beyond = "how " + w.ID() + " accepts connections (the protocol " + w.Protocol + " is not known)"
	}
	out.Hops = append(out.Hops, hop)
}

// addRemote adds the hop to a workload in another network: a tunnel inside a tunnel
// to the gateway of that network. Only services can be reached so.
func (s *State) addRemote(out *Outbound, source, w *Workload, to netip.AddrPort, share float64, service *Service, waypoint *Gateway) {
	if w.Gateway == nil || service == nil {
		out.fail("the workload " + w.ID() + " is in network " + strconv.Quote(w.Network) + ", and no gateway leads there")
		return
	}
	hop := Hop{
		Share: share, Workload: w, Waypoint: waypoint, To: to,
		Beyond: "the way behind the gateway of network " + w.Network + " (a tunnel inside a tunnel leads to " + service.Hostname + " there)",
	}
	gateway, at := s.gatewayTarget(w.Gateway, source)
	if gateway != nil {
		if targets, _ := s.balance(source, gateway, w.Gateway.Port, false); len(targets) > 0 {
			at = targets[0].workload
		}
	}
	address := w.Gateway.Address
	if at != nil && at.IP().IsValid() {
		address = at.IP()
	}
	if !address.IsValid() {
		out.fail("the ztunnel doesn't know the gateway " + w.Gateway.Name() + " of network " + w.Network)
		return
	}
	hop.Tunnel = netip.AddrPortFrom(address, uint16(w.Gateway.Port))
	out.Hops = append(out.Hops, hop)
}

// target is an endpoint that a service's load balancer may choose.
type target struct {
	workload *Workload
	port     int
	share    float64
}

// balance returns the endpoints among which a ztunnel chooses at random, weighted by
// their capacity. why says why there are none.
func (s *State) balance(source *Workload, service *Service, port int, isWaypoint bool) (targets []target, why string) {
	servicePort, hasPort := service.ports[port]
	if !hasPort && !isWaypoint {
		return nil, "the service " + service.ID() + " has no port " + strconv.Itoa(port)
	}
	best, total := -1, 0
	for _, e := range service.endpoints {
		w := s.endpointWorkload(e)
		if w == nil || !s.isUsable(source, w) {
			continue
		}
		at, ok := e.ports[port]
		switch {
		case ok:
		case servicePort != 0:
			at = servicePort
		case isWaypoint && w.hasApplicationTunnel:
			at = port
		default:
			continue
		}
		rank, fits := service.rank(source, w)
		if !fits || rank < best {
			continue
		}
		if rank > best {
			targets, best, total = nil, rank, 0
		}
		targets = append(targets, target{w, at, float64(w.capacity)})
		total += w.capacity
	}
	if total == 0 {
		return nil, "the service " + service.ID() + " has no healthy endpoint with port " + strconv.Itoa(port)
	}
	for i := range targets {
		targets[i].share /= float64(total)
	}
	return targets, ""
}

func (s *State) endpointWorkload(e endpoint) *Workload {
	if w := s.byUID[e.workload]; w != nil && e.workload != "" {
		return w
	}
	if ip, err := netip.ParseAddr(e.workload); err == nil && len(s.byIP[ip]) > 0 {
		return s.byIP[ip][0]
	}
	return nil
}

// isUsable reports whether a ztunnel can reach a workload: the workload has an
// address, or it is in another network with a gateway.
func (s *State) isUsable(source, w *Workload) bool {
	return len(w.IPs) > 0 || w.Hostname != "" || w.Network != source.Network && w.Gateway != nil
}

// rank returns how well an endpoint fits the routing preferences of a service: the
// number of the first preferences that it meets. If the network is the first
// preference, an endpoint in the client's network ranks before all others, and the
// other preferences count in other networks, too. fits is false if the service
// doesn't use such an endpoint.
func (s *Service) rank(source, w *Workload) (rank int, fits bool) {
	if s.mode == "" || s.mode == "Standard" || s.mode == "Passthrough" {
		return 0, true
	}
	adjust := 0
	for i, scope := range s.preferences {
		meets := false
		switch scope {
		case "Region":
			meets = source.region == w.region
		case "Zone":
			meets = source.zone == w.zone
		case "Subzone":
			meets = source.subzone == w.subzone
		case "Node":
			meets = source.Node == w.Node
		case "Cluster":
			meets = source.ClusterID == w.ClusterID
		case "Network":
			meets = source.Network == w.Network
			if s.preferences[0] == scope && i == 0 {
				if !meets {
					continue
				}
				adjust = len(s.preferences) - 1
			}
		}
		if !meets {
			break
		}
		rank++
	}
	if s.mode == "Strict" && rank != len(s.preferences) {
		return 0, false
	}
	return rank + adjust, true
}

// Addresses returns the addresses that a client's DNS lookup of a service gives, in
// the client's network: those of the service, or those of its endpoints if it is a
// headless Kubernetes service. They are empty for a service that other DNS servers
// resolve.
func (s *State) Addresses(service *Service, network string) []netip.Addr {
	if len(service.vips) > 0 || !strings.HasSuffix(service.Hostname, ".svc."+s.clusterDomain()) {
		return service.Addresses(network)
	}
	var all []netip.Addr
	for _, e := range service.endpoints {
		if w := s.endpointWorkload(e); w != nil && w.IP().IsValid() {
			all = append(all, w.IP())
		}
	}
	return all
}

// ServicePort returns the target of a service's port, or the port itself if the
// service doesn't have it.
func (s *Service) ServicePort(port int) int {
	if target := s.ports[port]; target != 0 {
		return target
	}
	return port
}

// Direct returns where a connection of a workload outside of the mesh goes: to an
// endpoint of the service that has the address, as kube-proxy chooses it, or to the
// address itself. It never goes through a tunnel.
func (s *State) Direct(source *Workload, to netip.AddrPort) Outbound {
	service, _ := s.ServiceAt(to.Addr().Unmap(), source.Network, source.Namespace)
	out := Outbound{Service: service}
	if service == nil {
		out.Hops = []Hop{{Share: 1, Workload: s.At(to.Addr().Unmap(), source.Network), To: to}}
		return out
	}
	for _, e := range service.endpoints {
		w := s.endpointWorkload(e)
		if w == nil || !w.IP().IsValid() {
			continue
		}
		port, ok := e.ports[int(to.Port())]
		if !ok {
			port = service.ports[int(to.Port())]
		}
		if port != 0 {
			out.Hops = append(out.Hops, Hop{Workload: w, To: netip.AddrPortFrom(w.IP(), uint16(port))})
		}
	}
	if out.Hops == nil {
		out.fail("the service " + service.ID() + " has no endpoint with port " + strconv.Itoa(int(to.Port())))
	}
	for i := range out.Hops {
		out.Hops[i].Share = 1 / float64(len(out.Hops))
	}
	return out
}

// HasWaypoint reports whether connections to a service go through a waypoint.
func (s *Service) HasWaypoint() bool { return len(s.gateways()) > 0 }

// Addresses returns the service's own addresses in a network.
func (s *Service) Addresses(network string) (all []netip.Addr) {
	for _, vip := range s.vips {
		if vip.network == network && vip.IsSingleIP() {
			all = append(all, vip.Addr())
		}
	}
	return all
}
