package envoy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// assignedByHand computes the expected rows for the endpoints of a dump, without
// the code under test.
func assignedByHand(dump any) (rows []string) {
	for _, config := range slices.Concat(dig(dump, "configs.*.static_endpoint_configs.*.endpoint_config"), dig(dump, "configs.*.dynamic_endpoint_configs.*.endpoint_config")) {
		for _, group := range dig(config, "endpoints.*") {
			for _, h := range dig(group, "lb_endpoints.*") {
				rows = append(rows, strings.Join([]string{
					one(config, "cluster_name"), hostByHand(h, "endpoint.address."), strings.Replace(one(h, "health_status"), "-", "UNKNOWN", 1),
					one(h, "load_balancing_weight"), strings.Replace(one(group, "priority"), "-", "0", 1),
					one(group, "locality.region"), one(group, "locality.zone"),
					weightByHand(group), one(config, "policy.overprovisioning_factor"), one(h, "metadata.filter_metadata.istio.workload"),
				}, " "))
			}
		}
	}
	slices.Sort(rows)
	return rows
}

func weightByHand(group any) string {
	if w := one(group, "load_balancing_weight"); w != "0" {
		return w
	}
	return "-"
}

func hostByHand(h any, at string) string {
	if ip := one(h, at+"socket_address.address"); ip != "-" {
		return ip + ":" + one(h, at+"socket_address.port_value") + " " + ip + " " + one(h, at+"socket_address.port_value")
	}
	if path := one(h, at+"pipe.path"); path != "-" {
		return "unix://" + path + " - -"
	}
	name := one(h, at+"envoy_internal_address.server_listener_name")
	if id := one(h, at+"envoy_internal_address.endpoint_id"); id != "-" {
		name += "/" + id
	}
	return "envoy://" + name + " - -"
}

var endpointColumns = []string{"cluster", "address", "ip", "port", "health", "weight", "priority", "locality.region", "locality.zone", "localityWeight", "overprovisioningFactor", "metadata.filterMetadata.istio.workload"}

func TestEndpoints(t *testing.T) {
	for _, dir := range captured(t) {
		t.Run(dir, func(t *testing.T) {
			rows := section(t, NewDump(nil, open(t, dir).fetch, when), mesh.Endpoints)
			if !slices.IsSortedFunc(rows, func(a, b any) int {
				return strings.Compare(one(a, "cluster")+"\x00"+one(a, "address"), one(b, "cluster")+"\x00"+one(b, "address"))
			}) {
				t.Error("not by cluster and address")
			}
			got := table(rows, endpointColumns...)
			slices.Sort(got)
			equal(t, got, assignedByHand(raw(t, dir+"/config_dump.json")))
			if len(rows) < 2 {
				t.Errorf("%d rows", len(rows))
			}
		})
	}
}

// TestHostFacts checks that the values from /clusters are requested when they are
// first read, and only once.
func TestHostFacts(t *testing.T) {
	for _, dir := range captured(t) {
		if _, err := os.Stat(dir + "/clusters.json"); err != nil {
			continue
		}
		t.Run(dir, func(t *testing.T) {
			var asked []string
			p := open(t, dir)
			fetch := p.fetch
			p.fetch = func(ctx context.Context, request Request) (*decode.Document, error) {
				asked = append(asked, request.What)
				return fetch(ctx, request)
			}
			v, err := p.Section(t.Context(), mesh.Endpoints)
			if err != nil {
				t.Fatal(err)
			}
			rows := v.([]any)
			for _, r := range rows {
				m, err := r.(*mesh.Object).Fields(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range []string{"outlier", "stats"} {
					if l, ok := m.Get(f).(mesh.Lazy); !ok || !l.Pending() {
						t.Fatalf("%s is not pending", f)
					}
				}
			}
			if fmt.Sprint(asked) != "[config_dump]" {
				t.Errorf("asked for %v before it was looked at", asked)
			}

			want := map[string]string{}
			for _, c := range dig(raw(t, dir+"/clusters.json"), "cluster_statuses.*") {
				for _, h := range dig(c, "host_statuses.*") {
					check := "OK"
					if one(h, "health_status.failed_outlier_check") == "true" {
						check = "FAILED"
					}
					stats := map[string]string{}
					for _, s := range dig(h, "stats.*") {
						stats[one(s, "name")] = strings.Replace(one(s, "value"), "-", "0", 1)
					}
					want[one(c, "name")+" "+strings.Fields(hostByHand(h, "address."))[0]] = check + fmt.Sprint(stats)
				}
			}
			for _, r := range rows {
				v, err := mesh.Deep(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				key := one(v, "cluster") + " " + one(v, "address")
				if got := one(v, "outlier") + one(v, "stats"); got != want[key] {
					t.Errorf("%s: %s, not %s", key, got, want[key])
				}
				delete(want, key)
			}
			if len(want) > 0 {
				t.Errorf("hosts without a row: %v", want)
			}
		})
	}
}

// TestEndpointsOfClusters checks that the endpoints come from /clusters, as JSON or
// as text, if the dump has none.
func TestEndpointsOfClusters(t *testing.T) {
	dump := []byte(`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump"}]}`)
	fetch := func(file string) Fetch {
		return func(_ context.Context, request Request) (*decode.Document, error) {
			switch {
			case request.What == configDump:
				return body("config_dump.json", dump), nil
			case file == "":
				return nil, fmt.Errorf("clusters: not in the snapshot: %w", fs.ErrNotExist)
			}
			b, err := os.ReadFile(file)
			return body(file, b), err
		}
	}
	columns := []string{"cluster", "address", "port", "health", "outlier", "weight", "priority", "locality.region", "locality.zone", "locality.subZone", "hostname", "stats.cx_total", "stats.rq_active"}

	var want []string
	for _, c := range dig(raw(t, "testdata/gateway/clusters.json"), "cluster_statuses.*") {
		for _, h := range dig(c, "host_statuses.*") {
			host := strings.Fields(hostByHand(h, "address."))
			stats := map[string]string{}
			for _, s := range dig(h, "stats.*") {
				stats[one(s, "name")] = strings.Replace(one(s, "value"), "-", "0", 1)
			}
			want = append(want, strings.Join([]string{
				one(c, "name"), host[0], host[2], one(h, "health_status.eds_health_status"), "OK", one(h, "weight"), "0",
				one(h, "locality.region"), one(h, "locality.zone"), one(h, "locality.sub_zone"), one(h, "hostname"),
				stats["cx_total"], stats["rq_active"],
			}, " "))
		}
	}
	slices.Sort(want)
	got := table(section(t, NewProxy(nil, fetch("testdata/gateway/clusters.json"), when), mesh.Endpoints), columns...)
	slices.Sort(got)
	equal(t, got, want)

	// The text was recorded an hour later, so it has the same endpoints but
	// other counters.
	got = table(section(t, NewProxy(nil, fetch("testdata/gateway/clusters.txt"), when), mesh.Endpoints), columns[:12]...)
	equal(t, got, linesByHand(t, "testdata/gateway/clusters.txt"))

	for _, p := range []*Proxy{NewProxy(nil, fetch(""), when), NewDump(nil, fetch("testdata/gateway/clusters.txt"), when)} {
		_, err := p.Section(t.Context(), mesh.Endpoints)
		if err == nil || err.Error() != "config_dump.json: no EndpointsConfigDump in it" {
			t.Errorf("%v", err)
		}
	}
}

// linesByHand computes the expected rows for the text form of /clusters, without
// the code under test.
func linesByHand(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	facts := map[string]map[string]string{}
	for line := range strings.Lines(string(b)) {
		w := strings.Split(strings.TrimSpace(line), "::")
		if len(w) == 4 && strings.Contains(w[1], ":") {
			if facts[w[0]+" "+w[1]] == nil {
				facts[w[0]+" "+w[1]] = map[string]string{}
			}
			facts[w[0]+" "+w[1]][w[2]] = w[3]
		}
	}
	var rows []string
	for host, f := range facts {
		line := host + " " + host[strings.LastIndexByte(host, ':')+1:] + " HEALTHY OK"
		for _, key := range []string{"weight", "priority", "region", "zone", "sub_zone", "hostname", "cx_total"} {
			if f[key] == "" {
				f[key] = "-"
			}
			line += " " + f[key]
		}
		rows = append(rows, line)
	}
	slices.Sort(rows)
	return rows
}

func TestTextOfHosts(t *testing.T) {
	text := strings.Join([]string{
		"a::eds_service_name::b",
		"a::default_priority::max_connections::1024",
		"a::[2001:db8::1]:80::cx_total::18446744073709551615",
		"a::[2001:db8::1]:80::health_flags::/failed_outlier_check/failed_eds_health",
		"a::[2001:db8::1]:80::hostname::h.example",
		"with::colons::10.0.0.1:80::health_flags::healthy",
		"with::colons::10.0.0.1:80::zone::z",
		"p::/run/x.sock::health_flags::/eds_status_draining",
		"i::envoy://connect_originate/10.0.0.5:80::health_flags::/degraded_eds_health/failed_active_hc",
		"", "no host at all", "x::y",
	}, "\r\n")
	table1 := &hostTable{doc: body("clusters.txt", []byte(text))}
	if err := table1.readText(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range table1.rows {
		got = append(got, fmt.Sprint(r.cluster, " ", r.service, " ", r.address.text, " ", r.address.ip, " ", r.address.port, " ", r.health, " ", r.outlier, " ", r.hostname, " ", r.locality, " ", r.stats))
	}
	equal(t, got, []string{
		"a b [2001:db8::1]:80 2001:db8::1 80 UNHEALTHY FAILED h.example <nil> map[cx_total:18446744073709551615]",
		"with::colons  10.0.0.1:80 10.0.0.1 80 HEALTHY OK  map[zone:z] map[]",
		"p  unix:///run/x.sock  0 DRAINING OK  <nil> map[]",
		"i  envoy://connect_originate/10.0.0.5:80  0 DEGRADED OK  <nil> map[]",
	})
	if h := table1.find(&endpoint{cluster: "b", address: address{text: "[2001:db8::1]:80"}}); h == nil || h.hostname != "h.example" {
		t.Error("not found by the name in EDS")
	}
}

// TestHostFactsFault checks that if an endpoint's values can't be loaded, the
// result is a fault that contains the proxy's name.
func TestHostFactsFault(t *testing.T) {
	p := open(t, "testdata/reviews-v2")
	fetch := p.fetch
	p.fetch = func(ctx context.Context, request Request) (*decode.Document, error) {
		if request.What == clusters {
			return nil, errors.New("port 15000 refused")
		}
		return fetch(ctx, request)
	}
	v, err := p.Section(t.Context(), mesh.Endpoints)
	if err != nil {
		t.Fatal(err)
	}
	_, err = mesh.Deep(t.Context(), v.([]any)[0])
	var fault *mesh.Fault
	if !errors.As(err, &fault) || fault.Error() != "reviews-v2: endpoints: port 15000 refused" {
		t.Errorf("%v", err)
	}

	refused := errors.New("not now")
	gated := mesh.WithGate(t.Context(), func(context.Context) error { return refused })
	m, _ := v.([]any)[0].(*mesh.Object).Fields(t.Context())
	if _, err := mesh.Force(gated, m.Get("stats")); err != refused {
		t.Errorf("the gate was not asked: %v", err)
	}
}

// TestHostsOfWantedClusters checks that only the hosts of the wanted clusters are
// requested. The hosts of all clusters are requested if one endpoint isn't in the
// answer, because its cluster may have another name in EDS.
func TestHostsOfWantedClusters(t *testing.T) {
	host := func(name, service, address string) string {
		return fmt.Sprintf(`{"name": %q, "eds_service_name": %q, "host_statuses": [{"address": {"socket_address": {"address": %q, "port_value": 80}}, "health_status": {"failed_outlier_check": true}}]}`, name, service, address)
	}
	a, b, other := host("a", "", "10.0.0.1"), host("named-b", "b", "10.0.0.2"), host("other", "", "10.0.0.3")
	endpointOf := func(cluster, address string) string {
		return fmt.Sprintf(`{"endpoint_config": {"@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", "cluster_name": %q, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {"address": %q, "port_value": 80}}}}]}]}}`, cluster, address)
	}
	dump := `{"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.EndpointsConfigDump", "dynamic_endpoint_configs": [` + endpointOf("a", "10.0.0.1") + "," + endpointOf("b", "10.0.0.2") + `]}]}`
	statuses := func(all ...string) *decode.Document {
		return body("clusters", []byte(`{"cluster_statuses": [`+strings.Join(all, ",")+`]}`))
	}
	for _, tc := range []struct {
		wanted   string
		filtered *decode.Document // the answer to the request for one cluster
		requests []string
	}{
		{"a", statuses(a), []string{"clusters?format=json&filter=%5E%28%3F%3Aa%29%24"}},
		// the answers of an Envoy before 1.38, which ignores the filter
		{"a", statuses(a, b, other), []string{"clusters?format=json&filter=%5E%28%3F%3Aa%29%24"}},
		{"b", statuses(), []string{"clusters?format=json&filter=%5E%28%3F%3Ab%29%24", "clusters"}},
		{"b", statuses(a, b, other), []string{"clusters?format=json&filter=%5E%28%3F%3Ab%29%24"}},
	} {
		var requests []string
		all := statuses(a, b, other)
		config := body("config_dump", []byte(dump))
		fetch := func(_ context.Context, r Request) (*decode.Document, error) {
			if r.What == configDump {
				return config, nil
			}
			asks := r.Asks(true)
			if !slices.Contains(requests, asks[0]) {
				requests = append(requests, asks[0])
			}
			if len(asks) > 1 {
				return tc.filtered, nil
			}
			return all, nil
		}
		p := NewNarrow(mesh.NewObject("Proxy", nil, object.New(0)), fetch, when, mesh.Hint{By: "cluster", Names: []string{tc.wanted}})
		v, err := p.Section(t.Context(), mesh.Endpoints)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range v.([]any) {
			if cluster, _ := mesh.Get(t.Context(), e, "cluster"); cluster != tc.wanted {
				continue
			}
			n++
			outlier, err := mesh.Get(t.Context(), e, "outlier")
			if err == nil {
				outlier, err = mesh.Force(t.Context(), outlier)
			}
			if outlier != "FAILED" || err != nil {
				t.Errorf("%s: outlier %v, %v", tc.wanted, outlier, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d endpoints", tc.wanted, n)
		}
		if !slices.Equal(requests, tc.requests) {
			t.Errorf("%s: requests %q, want %q", tc.wanted, requests, tc.requests)
		}
	}
}

// TestRefusedHostsAreRequestedWhole checks that if Envoy rejects a request because
// its pattern is too large, all hosts are requested.
func TestRefusedHostsAreRequestedWhole(t *testing.T) {
	r := Request{What: clusters, Wanted: mesh.Hint{By: "cluster", Names: []string{"a|b.c"}}}
	if asks := r.Asks(true); !slices.Equal(asks, []string{`clusters?format=json&filter=%5E%28%3F%3Aa%5C%7Cb%5C.c%29%24`, "clusters"}) {
		t.Errorf("%q", asks)
	}
	for status, want := range map[int]bool{400: true, 431: true, 404: false, 500: false} {
		if _, retry := r.Refused(status, "invalid re2 regex"); retry != want {
			t.Errorf("%d: retry %t", status, retry)
		}
	}
	r.Wanted.Names = slices.Repeat([]string{strings.Repeat("x", 100)}, 100)
	if asks := r.Asks(true); !slices.Equal(asks, []string{"clusters"}) {
		t.Errorf("%q", asks)
	}
}
