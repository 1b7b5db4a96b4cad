package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/meshq/kubectl-meshq/test/e2e/oracle"
	"github.com/meshq/kubectl-meshq/test/e2e/random"
)

// atOnce calls f for each element, with up to n calls in parallel.
func atOnce[T any](n int, all []T, f func(T)) {
	todo := make(chan T)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for v := range todo {
				f(v)
			}
		})
	}
	for _, v := range all {
		todo <- v
	}
	close(todo)
	wg.Wait()
}

// A part is a group of listeners of one Envoy. separate makes a proxy of each part.
type part struct {
	name      string
	listeners []string // the listeners' names; the first one is the one that accepts all connections
}

// separate turns the dump of one Envoy into a snapshot with one proxy per part. Each proxy is a sidecar whose first
// listener receives all connections. separate returns the snapshot's folder.
func separate(t *testing.T, dump []byte, all []part) string {
	t.Helper()
	var d struct {
		Configs []struct {
			Type      string           `json:"@type"`
			Bootstrap map[string]any   `json:"bootstrap"`
			Listeners []map[string]any `json:"dynamic_listeners"`
		} `json:"configs"`
	}
	must(t, json.Unmarshal(dump, &d))
	listeners := map[string]map[string]any{}
	node := map[string]any{}
	for _, c := range d.Configs {
		if own, ok := c.Bootstrap["node"].(map[string]any); ok { // the node has Envoy's version
			node = own
		}
		for _, l := range c.Listeners {
			if name, ok := l["name"].(string); ok {
				listeners[name] = l
			}
		}
	}
	snapshot := t.TempDir()
	for _, d := range all {
		var own []any
		for i, name := range d.listeners {
			l := listeners[name]
			if i == 0 {
				l["name"] = "virtualOutbound"
				l["active_state"].(map[string]any)["listener"].(map[string]any)["name"] = "virtualOutbound"
			}
			own = append(own, l)
		}
		b := []byte(text(map[string]any{"configs": []any{
			map[string]any{"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": map[string]any{
				"node": map[string]any{
					"id": "sidecar~10.0.0.1~" + d.name + ".default~default.svc.cluster.local", "user_agent_build_version": node["user_agent_build_version"],
				},
			}},
			map[string]any{"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamic_listeners": own},
		}}))
		keep(t, filepath.Join(snapshot, "proxies", d.name+".default", "config_dump.json"), b)
	}
	return snapshot
}

// askChains runs the plugin, and stores which filter chain it selects for each connection.
func (j *comparer) askChains(t *testing.T, snapshot string, all []*chainCase) {
	t.Helper()
	type asked struct {
		Proxy    string           `json:"proxy"`
		Requests []map[string]any `json:"requests"`
	}
	var cases []asked
	for _, d := range all {
		a := asked{Proxy: d.name + ".default"}
		for _, k := range d.connections {
			a.Requests = append(a.Requests, traceArgumentOf(k))
		}
		cases = append(cases, a)
	}
	lines := j.ask(t, snapshot, cases, `. as $mesh | $cases[0][] | .proxy as $name | ($mesh | proxy($name)) as $proxy | .requests[] as $request
		| $proxy.trace($request) | {chain: (first(.steps[] | select(.step == "filter chain") | .name) // ""), why: [.steps[] | [.step, .name, .reason]]}`)
	for _, d := range all {
		d.choices = make([]string, len(d.connections))
		for i := range d.connections {
			if len(lines) == 0 {
				t.Fatal("there are fewer answers than connections")
			}
			var c struct{ Chain string }
			must(t, json.Unmarshal(lines[0], &c))
			d.choices[i], lines = c.Chain, lines[1:]
		}
	}
}

// traceArgumentOf returns a connection as an argument of the plugin's trace function.
func traceArgumentOf(k random.Connection) map[string]any {
	r := map[string]any{"source": fmt.Sprintf("%s:%d", k.Source, k.SourcePort), "directSource": "127.0.0.1", "destination": k.Destination, "port": k.Port}
	if strings.Contains(k.Source, ":") {
		r["source"] = fmt.Sprintf("[%s]:%d", k.Source, k.SourcePort)
	}
	switch k.Speaks {
	case random.TLS:
		r["tls"], r["sni"], r["alpn"] = true, k.SNI, k.ALPN
	case random.Bytes:
		r["scheme"] = "tcp"
	default:
		r["alpn"] = []string{k.Speaks}
	}
	return r
}

// differs returns the index of the first connection for which the plugin and Envoy differ, or -1 if they agree.
func (d *chainCase) differs() int {
	for i := range d.connections {
		if d.choices[i] != d.chains[i] {
			return i
		}
	}
	return -1
}

// reportChain reports a mismatch between the plugin and Envoy, after removing all parts of the listeners that don't
// matter for it.
func (j *comparer) reportChain(t *testing.T, d *chainCase, at int) {
	t.Helper()
	d = j.smallestChain(t, d, at)
	t.Errorf("%s: Envoy takes %q, the plugin %q: %s\nfor query/trace/testdata/found.jsonl: %s", d.name, d.chains[0], d.choices[0], text(d.connections[0]), text(j.tryChains(t, []*chainCase{d}, true)))
}

// smallestChain removes parts of the listeners until nothing more can be removed without losing the mismatch.
func (j *comparer) smallestChain(t *testing.T, d *chainCase, at int) *chainCase {
	t.Helper()
	best := &chainCase{Listeners: d.Listeners, name: d.name, connections: d.connections[at : at+1], chains: d.chains[at : at+1], choices: d.choices[at : at+1]}
	for {
		var all []*chainCase
		for _, s := range oracle.Smaller(asRead(t, oracle.Message{"all": best.All})["all"], needed()...) {
			if n := best.withListeners(t, s, len(all)%chainCasesAtOnce); n.All[0]["bind_to_port"] == nil {
				all = append(all, n)
			}
		}
		next := j.smallestThatDiffers(t, all)
		if next == nil {
			return best
		}
		best = next
	}
}

// needed returns the fields that can't be removed: without them, Envoy rejects all listeners or closes every
// connection.
func needed() []string {
	return strings.Fields("name address socket_address port_value @type value address_prefix prefix_len rules bind_to_port listener_filters_timeout continue_on_listener_filters_timeout" +
		" typed_config filters filter_chains listener_filters response inline_string matchers predicate on_match input value_match action custom_match" +
		" ranges domains map exact_match_map prefix_match_map start end destination_port_range range_matchers domain_matchers single_predicate" +
		" or_matcher and_matcher not_matcher matcher_list matcher_tree or_match and_match not_match any_match google_re2 regex exact prefix suffix contains safe_regex")
}

// withListeners returns a copy of d with other listeners. The number place determines its name and its ports, so that
// copies with different numbers fit into one Envoy.
func (d *chainCase) withListeners(t *testing.T, listeners any, place int) *chainCase {
	t.Helper()
	n := &chainCase{Listeners: d.Listeners, name: fmt.Sprintf("l%d", place), connections: slices.Clone(d.connections)}
	first, now := d.Ports[0], firstDestinationPort+place*10
	b := []byte(text(listeners))
	n.Ports = nil
	for i := range d.Ports {
		b = bytes.ReplaceAll(b, fmt.Append(nil, first+i), fmt.Append(nil, now+i))
		n.Ports = append(n.Ports, now+i)
	}
	n.connections[0].Port += now - first
	n.All = nil
	must(t, json.Unmarshal(b, &n.All))
	return n
}

// smallestThatDiffers tries all variants, several in one Envoy, and returns the smallest one that still has the
// mismatch. It returns nil if none has it.
func (j *comparer) smallestThatDiffers(t *testing.T, all []*chainCase) (best *chainCase) {
	t.Helper()
	for best == nil && len(all) > 0 {
		some := all[:min(len(all), chainCasesAtOnce)]
		all = all[len(some):]
		j.tryChains(t, some, false)
		for _, d := range some {
			if d.refused == "" && d.differs() == 0 && (best == nil || len(text(d.All)) < len(text(best.All))) {
				best = d
			}
		}
	}
	return best
}
