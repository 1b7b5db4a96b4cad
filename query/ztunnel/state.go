package ztunnel

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// These are the protocols by which a workload accepts connections.
const (
	HBONE = "HBONE" // in a tunnel, at its ztunnel or at a sidecar
	TCP   = "TCP"   // without a tunnel
)

// State is what one ztunnel knows: the workloads and services of the mesh.
type State struct {
	r         *document.Reader
	workloads []*Workload
	services  []*Service
	byUID     map[string]*Workload
	byIP      map[netip.Addr][]*Workload
}

// Workload is a workload that a ztunnel knows, with the fields that decide where a
// connection goes.
type Workload struct {
	Value                              any // the Workload of the document
	UID, Name, Namespace, WorkloadName string
	Node, Network, ClusterID           string
	Protocol, Hostname, NetworkMode    string
	TrustDomain, ServiceAccount        string
	IPs                                []netip.Addr
	Waypoint, Gateway                  *Gateway // the waypoint, and the gateway of the workload's network; nil without one
	Services                           []string // as "namespace/hostname"
	capacity                           int
	region, zone, subzone              string
	hasApplicationTunnel               bool
}

// ID returns "name.namespace".
func (w *Workload) ID() string { return w.Name + "." + w.Namespace }

// Identity returns the SPIFFE identity in the workload's certificate, or an empty
// string if the dump lacks a part of it.
func (w *Workload) Identity() string {
	if w.TrustDomain == "" || w.Namespace == "" || w.ServiceAccount == "" {
		return ""
	}
	return "spiffe://" + w.TrustDomain + "/ns/" + w.Namespace + "/sa/" + w.ServiceAccount
}

// IP returns the workload's first address, which isn't valid if it has none.
func (w *Workload) IP() netip.Addr {
	if len(w.IPs) == 0 {
		return netip.Addr{}
	}
	return w.IPs[0]
}

// Gateway is the address of a waypoint or of the gateway of a network.
type Gateway struct {
	Network string     // of the address
	Address netip.Addr // not valid if the gateway is a hostname
	Host    string     // "namespace/hostname"; empty if the gateway is an address
	Port    int        // the port for HBONE
}

// Name returns the address or the hostname.
func (g *Gateway) Name() string {
	if g.Host != "" {
		_, host, _ := strings.Cut(g.Host, "/")
		return host
	}
	return g.Address.String()
}

// Service is a service that a ztunnel knows.
type Service struct {
	Name, Namespace, Hostname string
	Waypoint                  *Gateway
	weighted                  []weightedGateway
	vips                      []networkPrefix // addresses, and networks of addresses
	ports                     map[int]int
	endpoints                 []endpoint
	mode                      string // the load balancer's mode; empty without a load balancer
	preferences               []string
	canonical, isPrivate      bool // isPrivate: the service is visible only in its own namespace
}

// ID returns "name.namespace".
func (s *Service) ID() string { return s.Name + "." + s.Namespace }

func (s *Service) key() string { return s.Namespace + "/" + s.Hostname }

func (s *Service) isVisibleIn(namespace string) bool {
	return !s.isPrivate || s.Namespace == namespace
}

type weightedGateway struct {
	*Gateway
	weight int
}

type networkPrefix struct {
	network string
	netip.Prefix
}

type endpoint struct {
	workload string // the workload's UID, or in dumps of 2023 its address
	ports    map[int]int
}

// NewState reads the workloads and services of a ztunnel's config dump. Only r.Err
// reports errors.
func NewState(r *document.Reader, workloads, services []any) *State {
	s := &State{r: r, byUID: map[string]*Workload{}, byIP: map[netip.Addr][]*Workload{}}
	for _, v := range workloads {
		w := ReadWorkload(r, v)
		s.workloads = append(s.workloads, w)
		s.byUID[w.UID] = w
		for _, ip := range w.IPs {
			s.byIP[ip] = append(s.byIP[ip], w)
		}
	}
	for _, v := range services {
		s.services = append(s.services, readService(r.Message(r.Deep(v))))
	}
	return s
}

// Workloads returns the workloads, in the order of the document.
func (s *State) Workloads() []*Workload { return s.workloads }

// At returns the workload that has an address in a network, or nil if there is
// none. Workloads in the network of the host share the address of their node: of
// several workloads with an address, a ztunnel chooses one that isn't on the host's
// network.
func (s *State) At(ip netip.Addr, network string) *Workload {
	var found *Workload
	for _, w := range s.byIP[ip] {
		if w.Network == network && (found == nil || found.NetworkMode == "HostNetwork") {
			found = w
		}
	}
	return found
}

// ServiceNamed returns the service with the key "namespace/hostname", or nil if the
// ztunnel doesn't know it.
func (s *State) ServiceNamed(key string) *Service {
	for _, one := range s.services {
		if one.key() == key {
			return one
		}
	}
	return nil
}

// ReadWorkload reads a workload of the document.
func ReadWorkload(r *document.Reader, v any) *Workload {
	m := r.Message(v)
	w := &Workload{
		Value: v, UID: m.Text("uid"), Name: m.Text("name"), Namespace: m.Text("namespace"), WorkloadName: m.Text("workloadName"),
		Node: m.Text("node"), Network: m.Text("network"), ClusterID: m.Text("clusterId"), Protocol: m.Text("protocol"), Hostname: m.Text("hostname"),
		NetworkMode: m.Text("networkMode"), TrustDomain: m.Text("trustDomain"), ServiceAccount: m.Text("serviceAccount"),
		Waypoint: readGateway(m.Sub("waypoint")), Gateway: readGateway(m.Sub("networkGateway")), Services: m.Texts("services"),
		capacity: 1, hasApplicationTunnel: m.Has("applicationTunnel"),
	}
	if n, ok := integer(m.Value("capacity")); ok {
		w.capacity = n
	}
	locality := m.Sub("locality")
	w.region, w.zone, w.subzone = locality.Text("region"), locality.Text("zone"), locality.Text("subzone")
	for _, text := range m.Texts("workloadIps") {
		if ip, err := netip.ParseAddr(text); err == nil {
			w.IPs = append(w.IPs, ip.Unmap())
		}
	}
	return w
}

// readGateway reads a waypoint or a network gateway, whose destination is
// "network/address" or "namespace/hostname". It returns nil for a message without
// fields.
func readGateway(m document.Message) *Gateway {
	to := m.Text("destination")
	if to == "" {
		return nil
	}
	port, ok := integer(m.Value("hboneMtlsPort"))
	if !ok {
		port = TunnelPort
	}
	network, host, _ := strings.Cut(to, "/")
	if addr, err := netip.ParseAddr(host); err == nil {
		return &Gateway{Network: network, Address: addr.Unmap(), Port: port}
	}
	return &Gateway{Host: to, Port: port}
}

// TunnelPort is the port at which ztunnels, waypoints and gateways accept HBONE.
const TunnelPort = 15008

func readService(m document.Message) *Service {
	lb := m.Sub("loadBalancer")
	s := &Service{
		Name: m.Text("name"), Namespace: m.Text("namespace"), Hostname: m.Text("hostname"), Waypoint: readGateway(m.Sub("waypoint")),
		ports: portMap(m.Value("ports")), mode: lb.Text("mode"), preferences: lb.Texts("routingPreferences"),
		canonical: m.Flag("canonical"), isPrivate: m.Text("visibility") == "Namespace",
	}
	for _, w := range m.List("weightedWaypoints") {
		weight, _ := integer(w.Value("weight"))
		if g := readGateway(w.Sub("destination")); g != nil {
			s.weighted = append(s.weighted, weightedGateway{g, weight})
		}
	}
	for _, text := range append(m.Texts("vips"), m.Texts("cidrVips")...) {
		network, address, _ := strings.Cut(text, "/")
		if p, err := netip.ParsePrefix(address); err == nil {
			s.vips = append(s.vips, networkPrefix{network, p})
		} else if ip, err := netip.ParseAddr(address); err == nil {
			s.vips = append(s.vips, networkPrefix{network, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen())})
		}
	}
	endpoints, _ := m.Value("endpoints").(*object.Object)
	for _, key := range endpoints.Sorted() {
		e := m.Message(endpoints.Get(key))
		at := endpoint{workload: e.Text("workloadUid"), ports: portMap(e.Value("port"))}
		if at.workload == "" {
			_, at.workload, _ = strings.Cut(e.Text("address"), "/")
		}
		s.endpoints = append(s.endpoints, at)
	}
	return s
}

// portMap reads the target ports of a service's ports: {"80": 8080}.
func portMap(v any) map[int]int {
	m, _ := v.(*object.Object)
	ports := map[int]int{}
	for key, target := range m.All() {
		port, err := strconv.Atoi(key)
		if n, ok := integer(target); ok && err == nil {
			ports[port] = n
		}
	}
	return ports
}

// integer returns a number of the dump. ok is false if v isn't an integer.
func integer(v any) (n int, ok bool) {
	switch x := v.(type) {
	case int:
		return x, true
	case float64:
		return int(x), float64(int(x)) == x
	case json.Number:
		n, err := strconv.Atoi(string(x))
		return n, err == nil
	}
	return 0, false
}

// ServiceAt returns the service that has an address in a network, for a client in a
// namespace, or nil if there is none: among those that the client sees, the one in
// its own namespace, else a canonical one, else the first. For an address in the
// network of several services, the longest prefix decides before that. unsure is
// true if the dump doesn't decide among several services.
func (s *State) ServiceAt(ip netip.Addr, network, namespace string) (found *Service, unsure bool) {
	var best [4]int
	for _, one := range s.services {
		if !one.isVisibleIn(namespace) {
			continue
		}
		for _, vip := range one.vips {
			if vip.network != network || !vip.Contains(ip) {
				continue
			}
			rank := [4]int{1, 0, vip.Bits(), 0}
			if vip.Bits() == ip.BitLen() { // an address decides before a network
				rank[0] = 2
			}
			if one.Namespace == namespace {
				rank[1] = 1
			}
			if one.canonical {
				rank[3] = 1
			}
			switch c := slices.Compare(rank[:], best[:]); {
			case c > 0:
				found, best, unsure = one, rank, false
			case c == 0 && found != one:
				unsure = true
			}
		}
	}
	return found, unsure
}

// ServiceFor returns the service that a hostname means for a client in a namespace,
// as ztunnel's DNS server looks it up, or nil if it doesn't know the name: the name
// itself, the name with the parts that it lacks of Kubernetes' names, or a wildcard.
// Services outside of Kubernetes without an address are left to other DNS servers,
// and so have no address here; found contains such a service.
func (s *State) ServiceFor(host, namespace string) *Service {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	domain := s.clusterDomain()
	names := []string{host}
	switch words := strings.Split(host, "."); {
	case len(words) == 1:
		names = append(names, host+"."+namespace+".svc."+domain)
	case len(words) == 2:
		names = append(names, host+".svc."+domain)
	case len(words) == 3 && words[2] == "svc":
		names = append(names, host+"."+domain)
	}
	for _, name := range names {
		for {
			if found := s.bestNamed(name, namespace); found != nil {
				return found
			}
			_, parent, ok := strings.Cut(strings.TrimPrefix(name, "*."), ".")
			if !ok {
				break
			}
			name = "*." + parent
		}
	}
	return nil
}

func (s *State) bestNamed(hostname, namespace string) (best *Service) {
	rank := -1
	for _, one := range s.services {
		if one.Hostname != hostname || !one.isVisibleIn(namespace) {
			continue
		}
		n := 0
		if one.canonical {
			n = 1
		}
		if one.Namespace == namespace {
			n = 2
		}
		if n > rank {
			best, rank = one, n
		}
	}
	return best
}

// clusterDomain returns the domain of Kubernetes' names: the rest of the first
// hostname after ".svc.", because the sections of the dump don't contain it.
func (s *State) clusterDomain() string {
	for _, one := range s.services {
		if _, domain, ok := strings.Cut(one.Hostname, ".svc."); ok {
			return domain
		}
	}
	return "cluster.local"
}
