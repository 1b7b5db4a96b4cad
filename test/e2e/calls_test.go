package e2e_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
	"github.com/meshq/kubectl-meshq/test/e2e/random"
)

// A call is a request or a connection to trace: from a proxy's workload, to the workload, or to a gateway. The test
// sends it through a replica of the proxy and traces it with the plugin. Both must have the same result.
type call struct {
	random.Request
	listener         string // the bound listener that accepts the connection
	inbound          bool
	destination      string
	port             int
	tls, http, shown bool
	sni              string
	alpn             []string
	weight           int
	plugin, envoy    string // the result of the plugin and of Envoy, in words
	unsure, shares   []string
	line             string // the arguments of trace, as a user types them
}

// A caller generates calls from a proxy's configuration, so that they match its listeners and routes.
type caller struct {
	random.Source
	*oracle.Dump
	ip  string
	all []*call
}

// callsOf returns calls to every listener of a dump: for each virtual host, each of its routes and each filter chain.
// It returns no more calls than most.
func callsOf(s random.Source, d *oracle.Dump, ip string, most int) []*call {
	c := &caller{Source: s, Dump: d, ip: ip}
	for _, l := range d.Listeners {
		name, _ := l["name"].(string)
		switch name {
		case "virtualOutbound":
			c.outbound(l, 4321)
			c.outbound(l, 15001)
		case "virtualInbound":
			c.inbound(l)
		default:
			_, port := oracle.At(l)
			c.outbound(l, port)
		}
	}
	s.Shuffle(len(c.all), func(i, k int) { c.all[i], c.all[k] = c.all[k], c.all[i] })
	return c.all[:min(len(c.all), most)]
}

// outbound generates the calls that a workload, or a client of a gateway, may make.
func (c *caller) outbound(l oracle.Message, port int) {
	host, _ := oracle.At(l)
	to := "virtualOutbound"
	if l["bind_to_port"] != false {
		to, _ = l["name"].(string)
	}
	destination := host
	if addr, err := netip.ParseAddr(host); err != nil || addr.IsUnspecified() {
		destination = "10.1.2.3"
	}
	base := call{listener: to, destination: destination, port: port}
	c.connections(l, base)
	for _, chain := range oracle.Chains(l) {
		c.requests(c.RoutesOf(chain), chain, base)
	}
}

// connections generates connections that differ in the properties by which Envoy selects a filter chain.
func (c *caller) connections(l oracle.Message, base call) {
	names, protocols := []string{"", "unknown.example"}, [][]string{nil, {"foo"}, {"istio-http/1.1", "istio", "http/1.1"}, {"istio-peer-exchange", "istio"}}
	for _, chain := range oracle.Chains(l) {
		match := oracle.Sub(chain, "filter_chain_match")
		for _, name := range words(match, "server_names") {
			names = append(names, strings.ReplaceAll(name, "*", "x"))
		}
		if some := words(match, "application_protocols"); len(some) > 0 {
			protocols = append(protocols, some)
		}
	}
	for _, sni := range names {
		for _, alpn := range protocols {
			for _, http := range []bool{true, false} {
				if slices.Contains(alpn, "h2") { // the test client doesn't support HTTP/2
					continue
				}
				k := base
				k.tls, k.sni, k.alpn, k.http, k.shown = true, sni, alpn, http, c.IntN(2) == 0
				c.add(k, random.Request{Method: "GET", Host: "unknown.example", Path: "/"})
			}
		}
	}
	c.add(base, random.Request{})
	base.http = true
	c.add(base, random.Request{Method: "GET", Host: "unknown.example", Path: "/"})
}

// requests generates requests for each virtual host and each of its routes.
func (c *caller) requests(routes, chain oracle.Message, base call) {
	base.http = true
	base.tls = oracle.Sub(chain, "transport_socket") != nil
	base.shown = base.tls
	match := oracle.Sub(chain, "filter_chain_match")
	if names := words(match, "server_names"); len(names) > 0 {
		base.sni = strings.ReplaceAll(names[0], "*", "x")
	}
	if base.tls {
		base.alpn = words(match, "application_protocols")
	}
	for _, host := range oracle.List(routes, "virtual_hosts") {
		domains := words(host, "domains")
		for _, domain := range domains {
			domain = strings.ReplaceAll(domain, "*", pick(c.Source, "x", "unknown.example", "a.b"))
			for _, route := range oracle.List(host, "routes") {
				r := random.Request{Method: pick(c.Source, "GET", "POST", "PUT"), Host: domain, Path: "/"}
				c.Satisfy(&r, oracle.Sub(route, "match"))
				r.Host = pick(c.Source, domain, domain, strings.ToUpper(domain), domain+":"+strconv.Itoa(base.port), domain+":1")
				c.add(base, r)
			}
			c.add(base, random.Request{Method: "GET", Host: domain, Path: pick(c.Source, "/", "/productpage", "/static/x", "/reviews/1?q", "/unknown", "/api/v1/products/../x")})
		}
	}
}

// inbound generates calls to the workload itself.
func (c *caller) inbound(l oracle.Message) {
	ports := []int{15006, 4321}
	for _, chain := range oracle.Chains(l) {
		if n, ok := oracle.Sub(chain, "filter_chain_match")["destination_port"].(float64); ok && !slices.Contains(ports, int(n)) {
			ports = append(ports, int(n))
		}
	}
	for _, port := range ports {
		base := call{listener: "virtualInbound", inbound: true, destination: c.ip, port: port}
		c.connections(l, base)
		for _, chain := range oracle.Chains(l) {
			c.requests(c.RoutesOf(chain), chain, base)
		}
	}
}

func (c *caller) add(k call, r random.Request) {
	k.Request, k.weight = r, c.IntN(1000)
	c.all = append(c.all, &k)
}

func words(m oracle.Message, key string) (all []string) {
	a, _ := m[key].([]any)
	for _, v := range a {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

func pick(s random.Source, from ...string) string { return from[s.IntN(len(from))] }

// from returns the source IP address of the call.
func (k *call) from(ip string) string {
	if k.inbound || k.listener != "virtualOutbound" {
		return "10.244.9.9"
	}
	return ip
}

// traceArgument returns the call as an argument of the plugin's trace function.
func (k *call) traceArgument(ip string, mark int) map[string]any {
	m := map[string]any{"destination": k.destination, "port": k.port, "source": fmt.Sprintf("%s:%d", k.from(ip), mark), "random": k.weight}
	if k.inbound {
		m["direction"] = "inbound"
	}
	if k.tls {
		m["tls"], m["sni"], m["alpn"], m["principal"] = true, k.sni, k.alpn, map[bool]string{true: oracle.Principal}[k.shown]
	}
	if !k.http {
		m["scheme"] = map[bool]string{true: "tls", false: "tcp"}[k.tls]
		return m
	}
	headers := map[string][]string{"host": {k.Host}}
	for _, h := range k.Headers {
		name := strings.ToLower(h[0])
		headers[name] = append(headers[name], h[1])
	}
	m["method"], m["path"], m["headers"] = k.Method, k.Path, headers
	return m
}

// oracleCall returns the call in the form that a replica's Make method takes.
func (k *call) oracleCall(ip string, mark int, as *oracle.Identity) oracle.Call {
	c := oracle.Call{Listener: k.listener, Source: k.from(ip), Destination: k.destination, Mark: mark, Port: k.port, Bytes: []byte("\x01\x02\x03 of no protocol\r\n\r\n")}
	if k.tls {
		c.TLS = as.ClientTLS(k.shown)
		c.TLS.ServerName, c.TLS.NextProtos = k.sni, k.alpn
	}
	if k.http {
		r := oracle.Request(k.Request)
		r.Headers = append(slices.Clone(r.Headers), [2]string{"connection", "close"}, [2]string{oracle.WeightHeader, strconv.Itoa(k.weight)})
		c.Bytes = []byte(r.Text())
	}
	return c
}
