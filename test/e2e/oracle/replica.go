package oracle

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
)

// A Replica is an Envoy with the configuration of another one: its listeners,
// filters and routes as they are. All clusters lead to an echo but BlackHole,
// those that are bound have ports of their own and take the addresses of a
// connection from a PROXY line, certificates are an Identity's, a random number
// is a header's, and no fault is injected by chance.
type Replica struct {
	*Dump
	bound map[string]string // by listener, where it listens
	log   string
	envoy *Envoy
}

// WeightHeader is the header that decides among weighted clusters.
const WeightHeader = "x-weight"

// blackHole is the cluster that Istio leaves without endpoints.
const blackHole = "BlackHoleCluster"

// NewReplica makes a config of what another Envoy dumped; host is an address
// to listen at, dir a folder for its log.
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
		l, err := copied(l)
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

// copied is a message that can be changed.
func copied(m Message) (out Message, err error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(b, &out)
}

// listener makes a listener of the other Envoy one of the replica's.
func (r *Replica) listener(l Message, as *Identity) {
	for _, key := range []string{"@type", "access_log", "connection_balance_config", "additional_addresses"} {
		delete(l, key)
	}
	var filters []any
	if l["bind_to_port"] != false {
		filters = append(filters, Message{"name": "proxy", "typed_config": Message{"@type": filterType + "listener.proxy_protocol.v3.ProxyProtocol"}})
	}
	for _, f := range List(l, "listener_filters") {
		if !isType(Sub(f, "typed_config"), "OriginalDst") { // which asks the kernel
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
		own := as.Serves(asks, tls["require_client_certificate"] == true)
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
			certain(routes)
		}
	}
}

// certain leaves nothing to chance: all weighted clusters are decided by the
// header, and of the faults that are injected those stay that every request
// meets. Nothing is delayed.
func certain(v any) {
	switch x := v.(type) {
	case []any:
		for _, w := range x {
			certain(w)
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
			certain(w)
		}
	}
}
