package oracle

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Dump is the active configuration in an Envoy's /config_dump.
type Dump struct {
	Listeners []Message          // in the order of the dump
	Routes    map[string]Message // route configurations by name
	Clusters  []string
}

// ReadDump parses a /config_dump. The fields of the messages keep their names.
func ReadDump(b []byte) (*Dump, error) {
	var all struct {
		Configs []struct {
			Type            string                        `json:"@type"`
			Static          []struct{ Listener Message }  `json:"static_listeners"`
			Listeners       []active                      `json:"dynamic_listeners"`
			StaticRoutes    []routeConfig                 `json:"static_route_configs"`
			Routes          []routeConfig                 `json:"dynamic_route_configs"`
			StaticClusters  []struct{ Cluster namedPart } `json:"static_clusters"`
			DynamicClusters []struct{ Cluster namedPart } `json:"dynamic_active_clusters"`
		} `json:"configs"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	d := &Dump{Routes: map[string]Message{}}
	for _, c := range all.Configs {
		for _, l := range c.Static {
			d.Listeners = append(d.Listeners, l.Listener)
		}
		for _, l := range c.Listeners {
			if l.Active.Listener != nil {
				d.Listeners = append(d.Listeners, l.Active.Listener)
			}
		}
		for _, r := range append(c.StaticRoutes, c.Routes...) {
			if name, _ := r.Config["name"].(string); name != "" {
				d.Routes[name] = r.Config
			}
		}
		for _, x := range append(c.StaticClusters, c.DynamicClusters...) {
			d.Clusters = append(d.Clusters, x.Cluster.Name)
		}
	}
	if len(d.Listeners) == 0 {
		return nil, fmt.Errorf("a dump without listeners")
	}
	return d, nil
}

type active struct {
	Active struct{ Listener Message } `json:"active_state"`
}

type routeConfig struct {
	Config Message `json:"route_config"`
}

type namedPart struct{ Name string }

// List returns a field that is a list of messages.
func List(m Message, key string) (all []Message) {
	a, _ := m[key].([]any)
	for _, v := range a {
		if e, ok := v.(Message); ok {
			all = append(all, e)
		}
	}
	return all
}

// Sub returns a field that is a message, given the path to it. It returns nil if the field is missing.
func Sub(m Message, keys ...string) Message {
	for _, k := range keys {
		m, _ = m[k].(Message)
	}
	return m
}

// Chains returns the filter chains of a listener, including the default one.
func Chains(listener Message) []Message {
	all := List(listener, "filter_chains")
	if d := Sub(listener, "default_filter_chain"); d != nil {
		all = append(all, d)
	}
	return all
}

// RoutesOf returns the route configuration of a filter chain, or nil if it has none.
func (d *Dump) RoutesOf(chain Message) Message {
	for _, f := range List(chain, "filters") {
		config := Sub(f, "typed_config")
		if own := Sub(config, "route_config"); own != nil {
			return own
		}
		if name, _ := Sub(config, "rds")["route_config_name"].(string); name != "" {
			return d.Routes[name]
		}
	}
	return nil
}

// At returns the address and port that a listener binds to.
func At(listener Message) (host string, port int) {
	at := Sub(listener, "address", "socket_address")
	host, _ = at["address"].(string)
	n, _ := at["port_value"].(float64)
	return host, int(n)
}

func isType(m Message, end string) bool {
	kind, _ := m["@type"].(string)
	return strings.HasSuffix(kind, end)
}
