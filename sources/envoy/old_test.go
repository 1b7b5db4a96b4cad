package envoy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// istioData opens one of the dumps in Istio's own test data.
func istioData(t *testing.T, file string) (p *Proxy, dump any) {
	t.Helper()
	path := shared + "istio-testdata/" + file
	if _, err := os.Stat(path); err != nil {
		t.Skip("no test data here")
	}
	return NewDump(nil, folder(t, filepath.Dir(path), map[string]string{configDump: file}), when), raw(t, path)
}

// count returns how many values in the dump are at a path.
func count(dump any, path string) int { return len(dig(dump, "configs.*."+path)) }

// TestOldDumps reads dumps of Istio 1.3 to 1.6. Their parts are of version 3, but
// contain resources of version 2, in both spellings of field names.
func TestOldDumps(t *testing.T) {
	for _, file := range []string{"1.6-sidecar-productpage.config_dump.json", "1.6-ingressgateway.config_dump.json", "1.5-compare-envoyconfigdump.json", "1.5-compare-pilotconfigdump.json"} {
		t.Run(file, func(t *testing.T) {
			p, dump := istioData(t, file)
			clusters := section(t, p, mesh.Clusters)
			if want := count(dump, "static_clusters.*") + count(dump, "dynamic_active_clusters.*"); len(clusters) != want || want == 0 {
				t.Errorf("%d clusters, not %d", len(clusters), want)
			}
			names := map[string]int{}
			for _, name := range dig(dump, "configs.*.dynamic_active_clusters.*.cluster.name") {
				words := strings.Split(strings.ReplaceAll(name.(string), "_.", "|"), "|")
				if len(words) == 4 {
					names[strings.Join(words, " ")]++
				}
			}
			for _, c := range clusters {
				if one(c, "direction") != "-" {
					line := strings.Join(table([]any{c}, "direction", "port", "subset", "fqdn"), "")
					names[strings.ReplaceAll(line, " -", " ")]--
				}
			}
			for name, n := range names {
				if n != 0 {
					t.Errorf("%s: %d times", name, n)
				}
			}
			listeners := section(t, p, mesh.Listeners)
			if want := count(dump, "static_listeners.*") + count(dump, "dynamic_listeners.*.active_state"); len(listeners) != want || want == 0 {
				t.Errorf("%d listeners, not %d", len(listeners), want)
			}
			routes := section(t, p, mesh.Routes)
			if want := count(dump, "dynamic_route_configs.*"); len(routes) < want || len(routes) > want+count(dump, "static_route_configs.*") {
				t.Errorf("%d route configurations, %d of them dynamic", len(routes), want)
			}
		})
	}
}

// TestVersionTwoNames checks that the names of fields that only version 2 has are
// converted, and that names in free-form data stay unchanged.
func TestVersionTwoNames(t *testing.T) {
	p, dump := istioData(t, "1.6-sidecar-productpage.config_dump.json")
	bootstrap := whole(t, p, mesh.Bootstrap)
	want := dig(dump, "configs.*.bootstrap.static_resources.clusters.*.hosts.*.socket_address.port_value")
	if got := dig(bootstrap, "staticResources.clusters.*.hosts.*.socketAddress.portValue"); fmt.Sprint(got) != fmt.Sprint(want) || len(want) == 0 {
		t.Errorf("hosts of the bootstrap: %v, not %v", got, want)
	}
	for _, c := range section(t, p, mesh.Clusters) {
		for _, h := range dig(c, "hosts.*") {
			if one(h, "socketAddress.portValue") == "-" && one(h, "pipe.path") == "-" {
				t.Errorf("%s: %v", one(c, "name"), h)
			}
		}
	}
	kept := 0
	protocols := map[string]int{}
	for _, l := range section(t, p, mesh.Listeners) {
		protocols[one(l, "protocols")]++
		for _, config := range dig(l, "filterChains.*.filters.*.config") {
			if _, ok := config.(*object.Object).Lookup("stat_prefix"); ok {
				kept++
			}
		}
	}
	if want := len(dig(dump, "configs.*.static_listeners.*.listener.filter_chains.*.filters.*.config.stat_prefix")); kept < want || want == 0 {
		t.Errorf("%d filters with a Struct as it is, not %d", kept, want)
	}
	// Istio 1.3 has a listener without any known filter, which catches connections that
	// would loop back to the proxy.
	if protocols["[HTTP]"] == 0 || protocols["[TCP]"]+protocols["[HTTP TCP]"] == 0 {
		t.Errorf("%v", protocols)
	}
}

// TestUntypedResources reads the parts of version 2, which contain resources without a
// type.
func TestUntypedResources(t *testing.T) {
	part := func(kind string, fields *object.Object) *object.Object {
		fields.Set("@type", "type.googleapis.com/envoy.admin.v2alpha."+kind)
		return fields
	}
	fetch := dumpOf(t,
		part("BootstrapConfigDump", object.New(0)),
		part("ClustersConfigDump", object.Of(
			"version_info", "5",
			"static_clusters", []any{object.Of("cluster", object.Of("name", "x", "connect_timeout", "1s", "hosts", []any{
				object.Of("socket_address", object.Of("port_value", 80))}))},
			"dynamic_active_clusters", []any{object.Of("cluster", object.Of("name", "outbound|80||h", "metadata", object.Of("filter_metadata", object.Of(
				"istio", object.Of("config", "/apis/networking/v1alpha3/namespaces/ns/destination-rule/dr", "some_key", 1)))))},
		)),
		part("ListenersConfigDump", object.Of("dynamic_listeners", []any{
			object.Of("name", "l", "warming_state", object.Of("listener", object.Of("name", "l", "address", object.Of("pipe", object.Of("path", "/run/s"))))),
			object.Of("name", "gone", "error_state", object.Of("details", "bad")),
		})),
		object.Of("@type", "type.googleapis.com/envoy.admin.v9.NewConfigDump", "staticClusters", []any{object.Of("cluster", object.Of("name", "no"))}),
		object.Of("@type", "type.googleapis.com/other.ClustersConfigDump", "staticClusters", []any{object.Of("cluster", object.Of("name", "no"))}),
		object.Of("staticClusters", []any{object.Of("cluster", object.Of("name", "no"))}),
	)
	p := NewProxy(nil, fetch, when)
	equal(t, table(section(t, p, mesh.Clusters), "name", "state", "versionInfo", "connectTimeout", "hosts.*.socketAddress.portValue", "destinationRule", "metadata.filterMetadata.istio.some_key"), []string{
		"outbound|80||h ACTIVE 5 - - dr.ns 1",
		"x STATIC - 1s 80 - -",
	})
	rows := section(t, p, mesh.Listeners)
	equal(t, table(rows, "name", "state", "host", "port", "protocols", "error"), []string{
		"gone REJECTED - - [] bad",
		"l WARMING unix:///run/s - [] -",
	})
	// This dump has the main parts, so the sections whose parts are missing are empty.
	for _, s := range []mesh.Section{mesh.Routes, mesh.Secrets, mesh.Extensions} {
		if rows := section(t, p, s); len(rows) != 0 {
			t.Errorf("%s: %v", s, rows)
		}
	}
}

func TestExtensions(t *testing.T) {
	p, dump := istioData(t, "ecds.config_dump.json")
	var want []string
	for _, f := range dig(dump, "configs.*.ecds_filters.*") {
		want = append(want, strings.Join([]string{one(f, "ecds_filter.name"), "ACTIVE", one(f, "ecds_filter.typed_config.@type"), one(f, "version_info"), upToSeconds(one(f, "last_updated"))}, " "))
	}
	slices.Sort(want)
	rows := section(t, p, mesh.Extensions)
	equal(t, table(rows, "name", "state", "typeURL", "versionInfo", "lastUpdated"), want)
	for _, r := range rows {
		if _, ok := r.(*object.Object).Lookup("typeURL"); !ok {
			t.Errorf("%s: no typeURL", one(r, "name"))
		}
		if one(r, "typeURL") != "-" && (one(r, "typedConfig.config.vmConfig.runtime") == "-" || one(r, "typedConfig.config.vmConfig.environmentVariables.keyValues") == "-") {
			t.Errorf("%v", r)
		}
	}
	// This dump was cut down to one part, so reading any other section is an error.
	for _, s := range []mesh.Section{mesh.Clusters, mesh.Listeners, mesh.Routes, mesh.Secrets, mesh.Bootstrap, mesh.Endpoints} {
		_, err := p.Section(t.Context(), s)
		if err == nil || !strings.HasPrefix(err.Error(), "ecds.config_dump.json: no ") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestEndpointsOfIstio(t *testing.T) {
	for _, file := range []string{"eds.config_dump.json", "1.21-waypoint.config_dump.json"} {
		p, dump := istioData(t, file)
		got := table(section(t, p, mesh.Endpoints), endpointColumns...)
		slices.Sort(got)
		want := assignedByHand(dump)
		equal(t, got, want)
		if len(want) < 2 {
			t.Errorf("%d rows", len(want))
		}
	}
	_, dump := istioData(t, "1.6-clusters.json")
	rows := section(t, NewProxy(nil, folder(t, shared+"istio-testdata", map[string]string{clusters: "1.6-clusters.json"}), when), mesh.Endpoints)
	failed := 0
	for _, r := range rows {
		if one(r, "outlier") == "FAILED" {
			failed++
		}
	}
	if want := len(dig(dump, "cluster_statuses.*.host_statuses.*")); len(rows) != want || failed != 1 {
		t.Errorf("%d hosts, not %d; %d failed", len(rows), want, failed)
	}
}

// TestDesired checks that the configuration that istiod would send is read by the same
// code, although its spelling differs.
func TestDesired(t *testing.T) {
	p := NewDump(nil, folder(t, "testdata/reviews-v2", map[string]string{configDump: "desired.json"}), when)
	dump := raw(t, "testdata/reviews-v2/desired.json")
	names := func(rows []any, field string) []string { return table(rows, field) }
	sorted := func(path string) (out []string) {
		for _, v := range dig(dump, "configs.*."+path) {
			out = append(out, v.(string))
		}
		slices.Sort(out)
		return out
	}
	rows := section(t, p, mesh.Clusters)
	equal(t, names(rows, "name"), sorted("dynamicActiveClusters.*.cluster.name"))
	for _, r := range rows {
		if v := one(r, "versionInfo"); !strings.Contains(v, "Z/") {
			t.Errorf("%s: version %s", one(r, "name"), v)
		}
	}
	equal(t, names(section(t, p, mesh.Listeners), "name"), sorted("dynamicListeners.*.activeState.listener.name"))
	equal(t, names(section(t, p, mesh.Routes), "name"), sorted("dynamicRouteConfigs.*.routeConfig.name"))
	if got, want := len(section(t, p, mesh.Secrets)), count(dump, "dynamicActiveSecrets.*"); got != want {
		t.Errorf("%d secrets, not %d", got, want)
	}
}
