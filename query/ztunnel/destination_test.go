package ztunnel

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/query/document"
)

// The mesh of these tests is made by hand, in the form of ztunnel's dump. What is
// expected of it follows build_request, load_balance and get_best_by_vip in ztunnel's
// source.
const (
	madeWorkloads = `[
		{"uid": "web", "name": "web", "namespace": "shop", "workloadIps": ["10.0.0.1"], "node": "n1", "protocol": "HBONE", "locality": {"region": "r", "zone": "z1"}},
		{"uid": "cart-1", "name": "cart-1", "namespace": "shop", "workloadIps": ["10.0.0.7"], "node": "n1", "protocol": "HBONE", "capacity": 3, "locality": {"region": "r", "zone": "z1"}},
		{"uid": "cart-2", "name": "cart-2", "namespace": "shop", "workloadIps": ["10.0.0.8"], "node": "n2", "protocol": "TCP", "locality": {"region": "r", "zone": "z2"}},
		{"uid": "way-1", "name": "way-1", "namespace": "shop", "workloadIps": ["10.0.0.5"], "node": "n3", "protocol": "TCP"},
		{"uid": "way-2", "name": "way-2", "namespace": "shop", "workloadIps": ["10.0.0.6"], "node": "n3", "protocol": "TCP"},
		{"uid": "vault", "name": "vault", "namespace": "bank", "workloadIps": ["10.0.0.9"], "node": "n2", "protocol": "HBONE", "waypoint": {"destination": "shop/way.shop.svc.cluster.local", "hboneMtlsPort": 15008}},
		{"uid": "far", "name": "far", "namespace": "shop", "workloadIps": [], "network": "west", "protocol": "HBONE", "networkGateway": {"destination": "west/192.0.2.9", "hboneMtlsPort": 15008}},
		{"uid": "named", "name": "named", "namespace": "shop", "workloadIps": [], "hostname": "db.example.com", "protocol": "TCP"},
		{"uid": "lost", "name": "lost", "namespace": "shop", "workloadIps": ["10.9.0.1"], "network": "north", "protocol": "HBONE"}]`
	madeServices = `[
		{"name": "cart", "namespace": "shop", "hostname": "cart.shop.svc.cluster.local", "vips": ["/10.1.0.1"], "ports": {"80": 8080, "81": 0}, "endpoints": {"cart-1": {"workloadUid": "cart-1", "port": {"80": 9090}}, "cart-2": {"workloadUid": "cart-2", "port": {"80": 8080}}}},
		{"name": "near", "namespace": "shop", "hostname": "near.shop.svc.cluster.local", "vips": ["/10.1.0.2"], "ports": {"80": 8080}, "endpoints": {"cart-1": {"workloadUid": "cart-1", "port": {}}, "cart-2": {"workloadUid": "cart-2", "port": {}}}, "loadBalancer": {"mode": "Failover", "routingPreferences": ["Network", "Region", "Zone"], "healthPolicy": "OnlyHealthy"}},
		{"name": "strict", "namespace": "shop", "hostname": "strict.shop.svc.cluster.local", "vips": ["/10.1.0.3"], "ports": {"80": 8080}, "endpoints": {"cart-2": {"workloadUid": "cart-2", "port": {}}}, "loadBalancer": {"mode": "Strict", "routingPreferences": ["Node"], "healthPolicy": "OnlyHealthy"}},
		{"name": "wayed", "namespace": "shop", "hostname": "wayed.shop.svc.cluster.local", "vips": ["/10.1.0.4"], "ports": {"80": 8080}, "endpoints": {"cart-1": {"workloadUid": "cart-1", "port": {}}}, "waypoint": {"destination": "shop/way.shop.svc.cluster.local", "hboneMtlsPort": 15008}},
		{"name": "canary", "namespace": "shop", "hostname": "canary.shop.svc.cluster.local", "vips": ["/10.1.0.5"], "ports": {"80": 8080}, "endpoints": {}, "waypoint": {"destination": "shop/way.shop.svc.cluster.local", "hboneMtlsPort": 15008},
			"weightedWaypoints": [{"destination": {"destination": "shop/way.shop.svc.cluster.local", "hboneMtlsPort": 15008}, "weight": 1}, {"destination": {"destination": "shop/way2.shop.svc.cluster.local", "hboneMtlsPort": 15008}, "weight": 3}]},
		{"name": "unbound", "namespace": "shop", "hostname": "unbound.shop.svc.cluster.local", "vips": ["/10.1.0.6"], "ports": {"80": 8080}, "endpoints": {"cart-1": {"workloadUid": "cart-1", "port": {}}}, "waypoint": {"destination": "shop/gone.shop.svc.cluster.local", "hboneMtlsPort": 15008}},
		{"name": "idle", "namespace": "shop", "hostname": "idle.shop.svc.cluster.local", "vips": ["/10.1.0.7"], "ports": {"80": 8080}, "endpoints": {}},
		{"name": "way", "namespace": "shop", "hostname": "way.shop.svc.cluster.local", "vips": ["/10.1.0.8"], "ports": {"15008": 15008}, "endpoints": {"way-1": {"workloadUid": "way-1", "port": {"15008": 15008}}}},
		{"name": "way2", "namespace": "shop", "hostname": "way2.shop.svc.cluster.local", "vips": ["/10.1.0.9"], "ports": {"15008": 15008}, "endpoints": {"way-2": {"workloadUid": "way-2", "port": {"15008": 15008}}}},
		{"name": "heads", "namespace": "shop", "hostname": "heads.shop.svc.cluster.local", "vips": [], "ports": {"80": 8080}, "endpoints": {"cart-1": {"workloadUid": "cart-1", "port": {}}, "cart-2": {"workloadUid": "cart-2", "port": {}}}},
		{"name": "world", "namespace": "shop", "hostname": "world.shop.svc.cluster.local", "vips": ["/10.1.0.10"], "ports": {"80": 8080}, "endpoints": {"far": {"workloadUid": "far", "port": {"80": 8080}}}},
		{"name": "db", "namespace": "shop", "hostname": "db.example.com", "vips": ["/10.1.0.11"], "ports": {"5432": 5432}, "endpoints": {"named": {"workloadUid": "named", "port": {"5432": 5432}}}},
		{"name": "gone", "namespace": "shop", "hostname": "north.shop.svc.cluster.local", "vips": ["/10.1.0.12"], "ports": {"80": 80}, "endpoints": {"lost": {"workloadUid": "lost", "port": {"80": 80}}}},
		{"name": "api", "namespace": "a", "hostname": "api.example.com", "vips": ["/192.0.2.1"], "ports": {"443": 443}, "endpoints": {"cart-1": {"workloadUid": "cart-1", "port": {}}}, "canonical": true},
		{"name": "api", "namespace": "shop", "hostname": "api.example.com", "vips": ["/192.0.2.1"], "ports": {"443": 443}, "endpoints": {"cart-2": {"workloadUid": "cart-2", "port": {}}}},
		{"name": "secret", "namespace": "bank", "hostname": "secret.bank.svc.cluster.local", "vips": ["/10.1.0.13"], "ports": {"80": 80}, "endpoints": {"vault": {"workloadUid": "vault", "port": {}}}, "visibility": "Namespace"},
		{"name": "net", "namespace": "shop", "hostname": "net.example.com", "vips": [], "cidrVips": ["/198.51.100.0/24"], "ports": {"80": 80}, "endpoints": {"cart-1": {"workloadUid": "cart-1", "port": {}}}},
		{"name": "pass", "namespace": "shop", "hostname": "*.wild.example.org", "vips": [], "ports": {"443": 443}, "endpoints": {}, "loadBalancer": {"mode": "Passthrough", "routingPreferences": [], "healthPolicy": "AllowAll"}}]`
)

// where prints a decision: "75% cart-1 10.0.0.7:9090 in 10.0.0.7:15008; …".
func where(o Outbound) string {
	var parts []string
	for _, h := range o.Hops {
		s := fmt.Sprintf("%.3g%%", h.Share*100)
		if h.Waypoint != nil {
			s += " waypoint"
		}
		if h.Workload != nil {
			s += " " + h.Workload.Name
		}
		if h.To.IsValid() {
			s += " " + h.To.String()
		}
		if h.Tunnel.IsValid() {
			s += " in " + h.Tunnel.String()
		}
		if h.Beyond != "" {
			s += " beyond"
		}
		parts = append(parts, s)
	}
	if o.Passthrough {
		parts = append(parts, "passed through")
	}
	if o.Why != "" {
		parts = append(parts, o.Why)
	}
	return strings.Join(append(parts, o.Unknown...), "; ")
}

func madeState(t *testing.T) (*State, *Workload) {
	t.Helper()
	r := document.NewReader(t.Context())
	s := NewState(r, decodeText(t, madeWorkloads), decodeText(t, madeServices))
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	return s, s.byUID["web"]
}

func TestOutbound(t *testing.T) {
	s, web := madeState(t)
	for to, want := range map[string]string{
		"10.1.0.1:80":         "75% cart-1 10.0.0.7:9090 in 10.0.0.7:15008; 25% cart-2 10.0.0.8:8080",
		"10.1.0.1:81":         "the service cart.shop has no healthy endpoint with port 81",
		"10.1.0.1:82":         "the service cart.shop has no port 82",
		"10.1.0.2:80":         "100% cart-1 10.0.0.7:8080 in 10.0.0.7:15008",
		"10.1.0.3:80":         "the service strict.shop has no healthy endpoint with port 80",
		"10.1.0.4:80":         "100% waypoint way-1 10.1.0.4:80 in 10.0.0.5:15008",
		"10.1.0.5:80":         "25% waypoint way-1 10.1.0.5:80 in 10.0.0.5:15008; 75% waypoint way-2 10.1.0.5:80 in 10.0.0.6:15008",
		"10.1.0.6:80":         "the ztunnel doesn't know the waypoint gone.shop.svc.cluster.local",
		"10.1.0.7:80":         "the service idle.shop has no healthy endpoint with port 80",
		"10.0.0.7:1234":       "100% cart-1 10.0.0.7:1234 in 10.0.0.7:15008",
		"10.0.0.8:1234":       "100% cart-2 10.0.0.8:1234",
		"10.0.0.9:80":         "100% waypoint way-1 10.0.0.9:80 in 10.0.0.5:15008",
		"203.0.113.1:80":      "100% 203.0.113.1:80; passed through",
		"10.1.0.10:80":        "100% far in 192.0.2.9:15008 beyond",
		"10.1.0.11:5432":      "100% named beyond",
		"10.1.0.12:80":        `the workload lost.shop is in network "north", and no gateway leads there`,
		"192.0.2.1:443":       "100% cart-2 10.0.0.8:443", // the service of the client's namespace, not the canonical one
		"10.1.0.13:80":        "100% 10.1.0.13:80; passed through",
		"198.51.100.7:80":     "100% cart-1 10.0.0.7:80 in 10.0.0.7:15008",
		"[::ffff:10.0.0.8]:7": "100% cart-2 10.0.0.8:7",
	} {
		if got := where(s.Outbound(web, netip.MustParseAddrPort(to))); got != want {
			t.Errorf("%s:\n got %s\nwant %s", to, got, want)
		}
	}
	// a waypoint never sends through itself
	if got := where(s.Outbound(s.byUID["way-1"], netip.MustParseAddrPort("10.0.0.9:80"))); got != "100% vault 10.0.0.9:80 in 10.0.0.9:15008" {
		t.Errorf("from the waypoint: %s", got)
	}
	// a client in another namespace gets the canonical service
	if got := where(s.Outbound(s.byUID["vault"], netip.MustParseAddrPort("192.0.2.1:443"))); got != "100% cart-1 10.0.0.7:443 in 10.0.0.7:15008" {
		t.Errorf("from another namespace: %s", got)
	}
}

// TestServiceFor has the names that ztunnel's DNS server resolves (dns/server.rs).
func TestServiceFor(t *testing.T) {
	s, _ := madeState(t)
	for host, want := range map[string]string{
		"cart": "cart.shop 10.1.0.1", "cart.shop": "cart.shop 10.1.0.1", "cart.shop.svc": "cart.shop 10.1.0.1", "CART.shop.svc.cluster.local.": "cart.shop 10.1.0.1",
		"cart.bank": "", "heads": "heads.shop 10.0.0.7 10.0.0.8", "db.example.com": "db.shop 10.1.0.11", "api.example.com": "api.shop 192.0.2.1",
		"secret.bank": "", "x.wild.example.org": "pass.shop", "net.example.com": "net.shop", "example.com": "",
	} {
		got := ""
		if service := s.ServiceFor(host, "shop"); service != nil {
			got = service.ID()
			for _, ip := range s.Addresses(service, "") {
				got += " " + ip.String()
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}
