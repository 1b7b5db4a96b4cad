package sources

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

const (
	otherClusters = "config_dump?mask=static_clusters,dynamic_warming_clusters"
	activeMask    = "config_dump?resource=dynamic_active_clusters&mask="
	always        = "last_updated,error_state"
)

// excerpts opens a live mesh of one proxy. The hints in the mesh's options contain
// the fields in looks.
func excerpts(t *testing.T, looks map[mesh.Section][]string, o Options) (*replayed, any) {
	t.Helper()
	r := replay(t, "1.31.0", "p.x")
	r.read(t, "testdata/live/excerpt-1.40.json")
	o.Reads = map[mesh.Section]mesh.Hint{}
	for s, fields := range looks {
		o.Reads[s] = mesh.Hint{Fields: fields}
	}
	by, _ := proxies(t, open(t, o, r))
	return r, by["p.x"]
}

// TestExcerpt checks that only the fields that a query reads are requested from a
// real Envoy, and that their values are the same as in the complete section. Reading
// other fields sends one more request and returns the same values, too.
func TestExcerpt(t *testing.T) {
	listeners := "config_dump?resource=dynamic_listeners&mask=name,error_state,active_state.last_updated,warming_state.last_updated,draining_state.last_updated"
	for _, c := range []struct {
		section mesh.Section
		fields  []string
		asked   []string
	}{
		{mesh.Clusters, []string{}, []string{otherClusters, activeMask + always}},
		{mesh.Clusters, []string{"name"}, []string{otherClusters, activeMask + "cluster.name," + always}},
		{mesh.Clusters, []string{"subset", "fqdn", "state", "kind"}, []string{otherClusters, activeMask + "cluster.name," + always}},
		{mesh.Clusters, []string{"connectTimeout", "destinationRule", "metadata.filterMetadata", "type"}, []string{otherClusters, activeMask + "cluster.connect_timeout,cluster.metadata,cluster.name,cluster.type," + always}},
		{mesh.Clusters, []string{"circuitBreakers", "loadAssignment.endpoints", "error"}, []string{otherClusters, activeMask + "cluster.circuit_breakers,cluster.load_assignment,cluster.name," + always}},
		{mesh.Clusters, []string{"name", "nosuch"}, nil},
		{mesh.Clusters, []string{"name", "versionInfo"}, nil}, // only the complete section contains versionInfo
		{mesh.Listeners, []string{}, []string{"config_dump?mask=static_listeners", listeners}},
		{mesh.Listeners, []string{"name", "lastUpdated"}, []string{"config_dump?mask=static_listeners", listeners}},
		// no mask can select a listener's fields, because the dump nests the
		// listener two levels below its element
		{mesh.Listeners, []string{"name", "address"}, nil},
		{mesh.Routes, []string{}, []string{"config_dump?mask=static_route_configs", "config_dump?resource=dynamic_route_configs&mask=" + always}},
		{mesh.Routes, []string{"name"}, []string{"config_dump?mask=static_route_configs", "config_dump?resource=dynamic_route_configs&mask=route_config.name," + always}},
		{mesh.Routes, []string{"validateClusters"}, []string{"config_dump?mask=static_route_configs", "config_dump?resource=dynamic_route_configs&mask=route_config.name,route_config.validate_clusters," + always}},
		{mesh.Routes, []string{"virtualHosts"}, nil},
	} {
		r, p := excerpts(t, map[mesh.Section][]string{c.section: c.fields}, Options{})
		_, whole := excerpts(t, nil, Options{})
		want := at(t, whole, string(c.section)).([]any)
		got := at(t, p, string(c.section)).([]any)
		section := map[mesh.Section]string{
			mesh.Clusters: clusterMask, mesh.Listeners: "config_dump?mask=version_info,static_listeners,dynamic_listeners", mesh.Routes: routeMask,
		}[c.section]
		asked := c.asked
		if asked == nil {
			asked = []string{section}
		}
		same(t, string(c.section)+": asked", r.asked, asked)
		if len(got) != len(want) {
			t.Fatalf("%s: %d, not %d", c.section, len(got), len(want))
		}
		for i := range got {
			for _, path := range c.fields {
				f, _, _ := strings.Cut(path, ".")
				if d := cmp.Diff(deep(t, at(t, want[i], f)), deep(t, at(t, got[i], f))); d != "" {
					t.Errorf("%s: %s: %s", c.section, f, d)
				}
			}
		}
		same(t, string(c.section)+": asked by then", r.asked, asked)
		if d := cmp.Diff(deep(t, want), deep(t, got)); d != "" {
			t.Errorf("%s of %q: the rest: %s", c.section, c.fields, d)
		}
		if c.asked != nil {
			asked = append(slices.Clone(asked), section)
		}
		same(t, string(c.section)+": asked for the rest", r.asked, asked)
	}
}

func deep(t *testing.T, v any) any {
	t.Helper()
	v, err := mesh.Deep(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestNoExcerpt checks that the complete section is requested if an Envoy can't
// return single fields: because it is too old for masks, rejects a field, or has a
// resource that is still warming.
func TestNoExcerpt(t *testing.T) {
	looks := map[mesh.Section][]string{mesh.Clusters: {"name"}}
	names := activeMask + "cluster.name," + always
	for _, c := range []struct {
		what    string
		prepare func(r *replayed)
		asked   []string
	}{
		{"refused", func(r *replayed) { r.trouble = map[string]error{names: &statusError{400, "FieldMask"}} }, []string{otherClusters, names, clusterMask}},
		{"not found", func(r *replayed) { r.trouble = map[string]error{names: &statusError{404, "no such field"}} }, []string{otherClusters, names, clusterMask}},
		{"warming", func(r *replayed) {
			a := r.answers[otherClusters]
			a.Body = bytes.Replace(a.Body, []byte(`"static_clusters"`), []byte(`"dynamic_warming_clusters"`), 1)
			r.answers[otherClusters] = a
		}, []string{otherClusters, clusterMask}},
		{"all the same", func(r *replayed) { // a test double of Envoy that ignores parameters
			for _, request := range []string{otherClusters, names} {
				r.answers[request] = r.answers[clusterMask]
			}
		}, []string{otherClusters, clusterMask}},
		{"the list all the same", func(r *replayed) { r.answers[names] = r.answers[clusterMask] }, []string{otherClusters, names, clusterMask}},
	} {
		r, p := excerpts(t, looks, Options{})
		c.prepare(r)
		if got := at(t, p, "clusters").([]any); len(got) != 7 {
			t.Errorf("%s: %d clusters", c.what, len(got))
		}
		same(t, c.what, r.asked, c.asked)
	}
	r := replay(t, "1.11.4", "p.x")
	r.read(t, "testdata/live/excerpt-1.40.json")
	r.answers["config_dump"] = r.answers[clusterMask]
	by, _ := proxies(t, open(t, Options{Reads: map[mesh.Section]mesh.Hint{mesh.Clusters: {Fields: []string{"name"}}}}, r))
	if got := at(t, by["p.x"], "clusters").([]any); len(got) != 7 {
		t.Errorf("%d clusters", len(got))
	}
	same(t, "an old one", r.asked, []string{"config_dump?"})
}

// TestExcerptOfTwoMoments checks that reading further fields causes a fault if the
// configuration has changed since the first request.
func TestExcerptOfTwoMoments(t *testing.T) {
	r, p := excerpts(t, map[mesh.Section][]string{mesh.Clusters: {"name"}}, Options{})
	all := at(t, p, "clusters").([]any)
	if name := at(t, all[0], "name"); name != "BlackHoleCluster" {
		t.Fatal(name)
	}
	a := r.answers[clusterMask]
	a.Body = bytes.Replace(a.Body, []byte(`"name": "BlackHoleCluster"`), []byte(`"name": "WhiteHoleCluster"`), 1)
	r.answers[clusterMask] = a
	_, err := mesh.Get(t.Context(), all[1], "lbPolicy")
	var fault *mesh.Fault
	if !errors.As(err, new(*mesh.ChangedError)) || !errors.As(err, &fault) || fault.Proxy != "p.x" || fault.Section != "clusters" {
		t.Error(err)
	}
	if name := at(t, all[0], "name"); name != "BlackHoleCluster" {
		t.Errorf("what was known is %v", name)
	}
}

// TestJoined checks that sections that are read completely are requested in one
// response if clusters are among them. A section from which elements are read by
// name isn't added to that response.
func TestJoined(t *testing.T) {
	listeners := "config_dump?mask=version_info,static_listeners,dynamic_listeners"
	for _, c := range []struct {
		looks map[mesh.Section]mesh.Hint
		asked []string
	}{
		{map[mesh.Section]mesh.Hint{mesh.Clusters: {}, mesh.Routes: {}}, []string{"config_dump?", listeners}},
		{map[mesh.Section]mesh.Hint{mesh.Clusters: {}, mesh.Listeners: {}, mesh.Routes: {}}, []string{"config_dump?"}},
		{map[mesh.Section]mesh.Hint{mesh.Clusters: {Few: true}, mesh.Routes: {}}, []string{clusterMask, routeMask, listeners}},
		{map[mesh.Section]mesh.Hint{mesh.Clusters: {}, mesh.Routes: {Few: true}}, []string{clusterMask, routeMask, listeners}},
		{map[mesh.Section]mesh.Hint{mesh.Listeners: {}, mesh.Routes: {}}, []string{clusterMask, routeMask, listeners}},
		{nil, []string{clusterMask, routeMask, listeners}},
	} {
		r := replay(t, "1.31.0", "p.x")
		r.read(t, "testdata/live/excerpt-1.40.json")
		full := r.answers[clusterMask]
		full.Body = []byte(`{"configs":[`)
		for i, part := range []string{clusterMask, listeners, routeMask} {
			var dump struct{ Configs []json.RawMessage }
			if err := object.Unmarshal(r.answers[part].Body, &dump); err != nil {
				t.Fatal(err)
			}
			if i > 0 {
				full.Body = append(full.Body, ',')
			}
			full.Body = append(full.Body, dump.Configs[0]...)
		}
		full.Body = append(full.Body, `]}`...)
		r.answers["config_dump"] = full
		by, _ := proxies(t, open(t, Options{Reads: c.looks}, r))
		for section, n := range map[string]int{"clusters": 7, "routes": 3, "listeners": 3} {
			if got := at(t, by["p.x"], section).([]any); len(got) != n {
				t.Errorf("%v: %s: %d", c.looks, section, len(got))
			}
		}
		asked := slices.Sorted(slices.Values(r.asked))
		same(t, "asked", asked, slices.Sorted(slices.Values(c.asked)))
	}
}
