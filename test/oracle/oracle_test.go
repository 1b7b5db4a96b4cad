package oracle

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/itchyny/gojq"
	"github.com/klauspost/compress/zstd"
	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/test/program"
)

// rawFunctions are jq functions that read the raw files without any code of the
// plugin. Their input is {proxies: {id: {config_dump, clusters, …}}, pilots:
// {…}, kubernetes: {…}}.
const rawFunctions = `
def dumps: .proxies | to_entries[] | {id: .key, dump: .value.config_dump};
def section($p; $name): $p.dump.configs[] | select(."@type" | endswith($name));
def clusters($p): section($p; "ClustersConfigDump") | (.static_clusters[]?, .dynamic_active_clusters[]?, .dynamic_warming_clusters[]?) | .cluster;
def listeners($p): section($p; "ListenersConfigDump") | .dynamic_listeners[]? | .active_state.listener | select(.);
def routes($p): section($p; "RoutesConfigDump") | (.static_route_configs[]?, .dynamic_route_configs[]?) | .route_config;
def assignments($p): section($p; "EndpointsConfigDump") | (.static_endpoint_configs[]?, .dynamic_endpoint_configs[]?) | .endpoint_config;
def secrets($p): section($p; "SecretsConfigDump") | (.static_secrets[]?, .dynamic_active_secrets[]?, .dynamic_warming_secrets[]?);
def syncz: .pilots[] | .syncz[];
`

// rawQueries pairs queries on the document with equivalent jq programs on the raw
// files.
var rawQueries = []struct{ name, query, jq string }{
	{"proxies", `[.proxies[].id]`, `[dumps.id] | sort`},
	{"stale", `[.proxies[] | select(.cds=="STALE") | .id]`,
		`[syncz | select(.resources["type.googleapis.com/envoy.config.cluster.v3.Cluster"] | .sent != .acked) | .proxy] | sort`},
	{"rejected", `[.proxies[] | select(.lds=="ERROR") | {id, e: .sync.lds.error}]`,
		`[syncz | {id: .proxy, e: .resources["type.googleapis.com/envoy.config.listener.v3.Listener"].lastError} | select(.e)] | sort_by(.id)`},
	{"versions", `[.proxies[] | {id, version, clusterID}]`, `[syncz | {id: .proxy, version: .istio_version, clusterID: .cluster_id}] | sort_by(.id)`},
	{"cluster names", `[.proxies[] | {id, c: [.clusters[] | select(.state != "WARMING") | .name] | unique}]`, `[dumps as $p | {id: $p.id, c: [clusters($p).name] | unique}] | sort_by(.id)`},
	{"EDS clusters", `[.proxies[].clusters[] | select(.type=="EDS")] | length`, `[dumps as $p | clusters($p) | select(.type=="EDS")] | length`},
	{"v3 subsets", `[.proxies[].clusters[] | select(.subset=="v3" and .state=="ACTIVE")] | length`,
		`[dumps as $p | section($p; "ClustersConfigDump").dynamic_active_clusters[].cluster.name | select(test("^[^|]*\\|[^|]*\\|v3\\|"))] | length`},
	{"connect timeouts", `[.proxies[].clusters[].connectTimeout] | group_by(.) | map([.[0], length])`,
		`[dumps as $p | clusters($p) | .connect_timeout] | group_by(.) | map([.[0], length])`},
	{"circuit breakers", `[.proxies[].clusters[].circuitBreakers.thresholds[]?.maxConnections | numbers] | add`,
		`[dumps as $p | clusters($p).circuit_breakers.thresholds[]?.max_connections | numbers] | add`},
	{"destination rules", `[.proxies[].clusters[].destinationRule | strings] | unique`,
		`[dumps as $p | clusters($p).metadata.filter_metadata.istio.config | strings | select(contains("destination-rule")) | split("/") | .[7] + "." + .[5]] | unique`},
	{"listener names", `[.proxies[] | {id, l: [.listeners[] | select(.state=="ACTIVE" or .state=="STATIC") | .name] | unique}]`,
		`[dumps as $p | {id: $p.id, l: [listeners($p).name] | unique}] | sort_by(.id)`},
	{"listener ports", `[.proxies[].listeners[] | select(.state=="ACTIVE") | .port] | group_by(.) | map([.[0], length])`,
		`[dumps as $p | listeners($p).address.socket_address.port_value] | group_by(.) | map([.[0], length])`},
	{"filter chains", `[.proxies[].listeners[] | select(.state=="ACTIVE") | .filterChains | length] | add`,
		`[dumps as $p | listeners($p).filter_chains | length] | add`},
	{"filters", `[.proxies[].listeners[] | select(.state=="ACTIVE") | .filterChains[]?.filters[]?.typedConfig["@type"]] | group_by(.) | map([.[0], length])`,
		`[dumps as $p | listeners($p).filter_chains[]?.filters[]?.typed_config["@type"]] | group_by(.) | map([.[0], length])`},
	{"failed listeners", `[.proxies[].listeners[] | select(.state=="REJECTED") | {name, error}] | unique`,
		`[dumps as $p | section($p; "ListenersConfigDump").dynamic_listeners[]? | select(.error_state) | {name: (.name // .error_state.failed_configuration.name), error: .error_state.details}] | unique`},
	{"route names", `[.proxies[] | {id, r: [.routes[].name] | unique}]`, `[dumps as $p | {id: $p.id, r: [routes($p).name] | unique}] | sort_by(.id)`},
	{"virtual hosts", `[.proxies[].routes[] | select(.state=="ACTIVE") | .virtualHosts[]?.name] | length`,
		`[dumps as $p | section($p; "RoutesConfigDump").dynamic_route_configs[]?.route_config.virtual_hosts[]?.name] | length`},
	{"domains", `[.proxies[].routes[].virtualHosts[]?.domains[]] | unique`, `[dumps as $p | routes($p).virtual_hosts[]?.domains[]] | unique`},
	{"weights", `[.proxies[].routes[].virtualHosts[]?.routes[]?.route.weightedClusters.clusters[]? | [.name, .weight]] | unique`,
		`[dumps as $p | routes($p).virtual_hosts[]?.routes[]?.route.weighted_clusters.clusters[]? | [.name, .weight]] | unique`},
	{"destinations", `[.proxies[].routes[] | select(.state=="ACTIVE") | .virtualHosts[]?.routes[]?.destinations[]?.cluster] | unique`,
		`[dumps as $p | section($p; "RoutesConfigDump").dynamic_route_configs[]?.route_config.virtual_hosts[]?.routes[]?.route | (.cluster, .weighted_clusters.clusters[]?.name) | strings] | unique`},
	{"timeouts", `[.proxies[].routes[] | select(.state=="ACTIVE") | .virtualHosts[]?.routes[]?.route.timeout] | group_by(.) | map([.[0], length])`,
		`[dumps as $p | section($p; "RoutesConfigDump").dynamic_route_configs[]?.route_config.virtual_hosts[]?.routes[]?.route.timeout] | group_by(.) | map([.[0], length])`},
	{"endpoint addresses", `[.proxies[].endpoints[] | select(.port) | [.cluster, .ip, .port]] | unique`,
		`[dumps as $p | assignments($p) | .cluster_name as $c | .endpoints[]?.lb_endpoints[]?.endpoint.address.socket_address | select(.) | [$c, .address, .port_value]] | unique`},
	{"endpoint health", `[.proxies[].endpoints[].health] | group_by(.) | map([.[0], length])`,
		`[dumps as $p | assignments($p).endpoints[]?.lb_endpoints[]? | .health_status // "UNKNOWN"] | group_by(.) | map([.[0], length])`},
	{"secret names", `[.proxies[] | {id, s: [.secrets[].name] | unique}]`, `[dumps as $p | {id: $p.id, s: [secrets($p).name] | unique}] | sort_by(.id)`},
	{"bootstrap nodes", `[.proxies[] | .bootstrap.node.id]`, `[dumps as $p | section($p; "BootstrapConfigDump").bootstrap.node.id] | sort_by(split("~")[2])`},
	{"bootstrap metadata is left as it is", `[.proxies[].bootstrap.node.metadata | keys[]] | unique`,
		`[dumps as $p | section($p; "BootstrapConfigDump").bootstrap.node.metadata | keys[]] | unique`},
	{"server", `[.proxies[] | [.server.state, .server.commandLineOptions.concurrency]]`,
		`[.proxies | to_entries | sort_by(.key)[] | .value.server_info | [.state, .command_line_options.concurrency]]`},
	{"loggers", `[.proxies[] | .loggers | length] | add`, `[.proxies[].logging | split("\n")[] | select(test("^  .*: "))] | length`},
	{"services", `[.services[].metadata.name]`, `[.kubernetes.services.items[].metadata] | sort_by(.namespace, .name) | map(.name)`},
	{"virtual services", `[.virtualServices[].spec.hosts[]] | unique`, `[.kubernetes["virtualservices.networking.istio.io"].items[].spec.hosts[]] | unique`},
	{"pods", `[.proxies[] | [.ip, .node, .ready]]`,
		`[.kubernetes.pods.items[] | select(.spec.containers | any(.name=="istio-proxy"))] | sort_by(.metadata.name + "." + .metadata.namespace) | map([.status.podIP, .spec.nodeName, (.status.conditions | any(.type=="Ready" and .status=="True"))])`},
	{"desired clusters", `[.proxy("reviews-v2") | desired.clusters[] | .name] | unique`,
		`[.pilots[] | to_entries[] | select(.key | startswith("config_dump.reviews-v2")).value.configs[] | select(."@type" | endswith("ClustersConfigDump")).dynamicActiveClusters[].cluster.name] | unique`},
	{"mesh config", `.pilots[0].meshConfig | keys`, `.pilots[].mesh | keys`},
}

// TestQueriesAgreeWithRawFiles compares the results of queries on the document
// with jq's results on the raw files.
func TestQueriesAgreeWithRawFiles(t *testing.T) {
	raw := rawFiles(t)
	for _, c := range rawQueries {
		t.Run(c.name, func(t *testing.T) {
			got := mustRun(t, "--snapshot", "demo", "-c", "-S", "--", c.query)
			want := jq(t, rawFunctions+c.jq, raw)
			if want == "[]" || want == "null" || want == "0" {
				t.Errorf("%s says nothing here: %s", c.jq, want)
			}
			if diff := cmp.Diff(want, strings.TrimSpace(got)); diff != "" {
				t.Errorf("%s\n-jq +meshq:\n%s", c.query, diff)
			}
		})
	}
}

// mustRun returns the output of a command, which must succeed.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, code := program.Run(t, args...)
	if code != 0 {
		t.Fatalf("%q: exit code %d: %s", args, code, errs)
	}
	return out
}

func jq(t *testing.T, program string, in any) string {
	t.Helper()
	q, err := gojq.Parse(program)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := q.Run(in).Next()
	if err, ok := v.(error); ok {
		t.Fatal(err)
	}
	text, err := gojq.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rawFiles returns the raw files of the demo as one plain value.
func rawFiles(t *testing.T) map[string]any {
	z, err := zstd.NewReader(bytes.NewReader(demo.Archive))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	raw := map[string]any{"proxies": map[string]any{}, "pilots": map[string]any{}, "kubernetes": map[string]any{}}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return raw
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(h.Name, "/")
		name := strings.TrimSuffix(parts[len(parts)-1], path.Ext(parts[len(parts)-1]))
		var v any = string(text)
		if path.Ext(h.Name) == ".json" {
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
		}
		switch len(parts) {
		case 3:
			raw[parts[1]].(map[string]any)[name] = v
		case 4:
			group := raw[parts[1]].(map[string]any)
			if group[parts[2]] == nil {
				group[parts[2]] = map[string]any{}
			}
			group[parts[2]].(map[string]any)[name] = v
		}
	}
}
