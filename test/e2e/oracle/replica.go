package oracle

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
)

// A Replica is an Envoy that runs the listeners, filters and routes of another Envoy. It differs in a few points: All
// clusters except BlackHoleCluster lead to an echo listener. Bound listeners have ports of their own and take the
// addresses of a connection from a PROXY protocol header. Certificates come from an Identity. A header replaces random
// numbers, and faults are injected into all requests or none.
type Replica struct {
	*Dump
	bound map[string]string // the addresses of bound listeners, by name
	log   string
	envoy *Envoy
}

// WeightHeader is the header whose value selects among weighted clusters.
const WeightHeader = "x-weight"

// blackHole is the cluster that Istio leaves without endpoints.
const blackHole = "BlackHoleCluster"

// NewReplica builds a replica's configuration from the config dump of another Envoy. host is an address to listen on,
// dir a folder for the log.
func NewReplica(dump []byte, host, dir string, as *Identity) (*Replica, Config, error) {
	d, err := ReadDump(dump)
	if err != nil {
		return nil, Config{}, err
	}
	r := &Replica{Dump: d, bound: map[string]string{}, log: filepath.Join(dir, "ways-"+host+".log")}
	echo := Address(host, replicaPort)
	c := Config{NodeID: "sidecar~10.0.0.1~replica.default~default.svc.cluster.local", Listeners: []Message{Echo(echo)}}
	for _, name := range d.Clusters {
		to := Cluster(name, echo)
		if name == blackHole {
			to["load_assignment"] = Message{"cluster_name": name}
		}
		c.Clusters = append(c.Clusters, to)
	}
	for i, l := range d.Listeners {
		name, _ := l["name"].(string)
		l, err := deepCopy(l)
		if err != nil {
			return nil, Config{}, err
		}
		if l["bind_to_port"] != false {
			port := replicaPort + 1 + i
			l["address"] = Address(host, port)
			r.bound[name] = fmt.Sprintf("%s:%d", host, port)
		}
		r.listener(l, as)
		c.Listeners = append(c.Listeners, l)
	}
	return r, c, nil
}

const replicaPort = 13000

// deepCopy returns a deep copy of a message.
func deepCopy(m Message) (out Message, err error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(b, &out)
}

// listener adapts a listener of the other Envoy to the replica.
func (r *Replica) listener(l Message, as *Identity) {
	for _, key := range []string{"@type", "access_log", "connection_balance_config", "additional_addresses"} {
		delete(l, key)
	}
	var filters []any
	if l["bind_to_port"] != false {
		filters = append(filters, Message{"name": "proxy", "typed_config": Message{"@type": filterType + "listener.proxy_protocol.v3.ProxyProtocol"}})
	}
	for _, f := range List(l, "listener_filters") {
		if !isType(Sub(f, "typed_config"), "OriginalDst") { // leave out original_dst: it asks the kernel for the address
			filters = append(filters, f)
		}
	}
	l["listener_filters"] = filters
	for _, chain := range Chains(l) {
		r.chain(chain, as)
	}
}

func (r *Replica) chain(chain Message, as *Identity) {
	if tls := Sub(chain, "transport_socket", "typed_config"); isType(tls, "DownstreamTlsContext") {
		common := Sub(tls, "common_tls_context")
		asks := false
		for _, key := range []string{"validation_context", "validation_context_sds_secret_config", "combined_validation_context"} {
			asks = asks || common[key] != nil
		}
		own := as.ServerTLS(asks, tls["require_client_certificate"] == true)
		if alpn := common["alpn_protocols"]; alpn != nil {
			Sub(own, "typed_config", "common_tls_context")["alpn_protocols"] = alpn
		}
		chain["transport_socket"] = own
	}
	for _, f := range List(chain, "filters") {
		config := Sub(f, "typed_config")
		if isType(config, "TcpProxy") || isType(config, "HttpConnectionManager") {
			config["access_log"] = r.accessLog()
		}
		if !isType(config, "HttpConnectionManager") {
			continue
		}
		delete(config, "tracing")
		if name, _ := Sub(config, "rds")["route_config_name"].(string); name != "" {
			delete(config, "rds")
			routes := maps.Clone(r.Routes[name])
			if routes == nil {
				routes = Message{"name": name}
			}
			delete(routes, "@type")
			config["route_config"] = routes
		}
		if routes := Sub(config, "route_config"); routes != nil {
			routes["validate_clusters"] = false
			makeDeterministic(routes)
		}
	}
}

// makeDeterministic makes a configuration deterministic. The header selects among all weighted clusters; injected
// faults are removed unless they affect every request. Delays are removed, too.
func makeDeterministic(v any) {
	switch x := v.(type) {
	case []any:
		for _, w := range x {
			makeDeterministic(w)
		}
	case Message:
		if w := Sub(x, "weighted_clusters"); w != nil {
			w["header_name"] = WeightHeader
		}
		if isType(x, "HTTPFault") {
			delete(x, "delay")
			if p := Sub(x, "abort", "percentage"); p["numerator"] != 100. || p["denominator"] != nil && p["denominator"] != "HUNDRED" {
				if p["numerator"] != 1_000_000. || p["denominator"] != "MILLION" {
					delete(x, "abort")
				}
			}
		}
		for _, w := range x {
			makeDeterministic(w)
		}
	}
}
