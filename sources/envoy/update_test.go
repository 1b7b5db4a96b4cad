package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// refusing is a config dump in which Envoy refused a resource of each type. The
// name of the resource is inside it, only beside it, or missing.
const refusing = `{"configs":[
{"@type":"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump","bootstrap":{"node":{"id":"x"}}},
{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","version_info":"c1",
 "dynamic_active_clusters":[{"version_info":"c1","cluster":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"good"}}],
 "dynamic_warming_clusters":[
  {"cluster":{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","name":"beside"},"error_state":{"details":"cluster refused","last_update_attempt":"2026-11-01T00:00:00.123Z"},"client_status":"NACKED"},
  {"error_state":{"details":"nobody's cluster"}}]},
{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump","version_info":"l1",
 "dynamic_listeners":[
  {"name":"of the element","error_state":{"details":"listener refused","version_info":"l2"}},
  {"error_state":{"failed_configuration":{"@type":"type.googleapis.com/envoy.config.listener.v3.Listener","name":"of the failed one"},"details":"listener refused too"}},
  {"error_state":{"failed_configuration":{"@type":"type.googleapis.com/envoy.config.listener.v3.Listener"},"details":"nobody's listener"}}]},
{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
 "dynamic_route_configs":[
  {"version_info":"r1","route_config":{"@type":"type.googleapis.com/envoy.config.route.v3.RouteConfiguration","name":"80"},"error_state":{"details":"route refused"}},
  {"error_state":{"details":"nobody's route"}}]},
{"@type":"type.googleapis.com/envoy.admin.v3.EndpointsConfigDump",
 "dynamic_endpoint_configs":[{"endpoint_config":{"@type":"type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment","cluster_name":"good"},"error_state":{"details":"endpoints refused"}}]},
{"@type":"type.googleapis.com/envoy.admin.v3.EcdsConfigDump",
 "ecds_filters":[{"ecds_filter":{"@type":"type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig","name":"wasm"},"error_state":{"details":"extension refused"}}]},
{"@type":"type.googleapis.com/envoy.admin.v3.SecretsConfigDump",
 "dynamic_warming_secrets":[{"name":"cred","error_state":{"details":"secret refused"}}]}]}`

// answers returns a Fetch that serves the given bodies. The key of a body is
// the first path of a request, or its endpoint. answers also returns the list
// in which the Fetch records these paths.
func answers(t *testing.T, bodies map[string]string) (Fetch, *[]string) {
	t.Helper()
	var asked []string
	return func(_ context.Context, r Request) (*decode.Document, error) {
		what := strings.Join(r.Asks(true)[:1], "")
		asked = append(asked, what)
		for _, name := range []string{what, r.What} {
			if text, ok := bodies[name]; ok {
				return body(name, []byte(text)), nil
			}
		}
		return nil, fmt.Errorf("not in the snapshot: %w", fs.ErrNotExist)
	}, &asked
}

// TestRefusedResources checks that a refused resource is an element with state
// REJECTED in its section, and that it is also listed under updates.
func TestRefusedResources(t *testing.T) {
	fetch, _ := answers(t, map[string]string{"config_dump": refusing})
	p := NewDump(mesh.NewObject("Proxy", nil, object.New(0)), fetch, when)
	for s, want := range map[mesh.Section]string{
		mesh.Clusters:   "[REJECTED <nil> nobody's cluster][REJECTED beside cluster refused]",
		mesh.Listeners:  "[REJECTED <nil> nobody's listener][REJECTED of the element listener refused][REJECTED of the failed one listener refused too]",
		mesh.Routes:     "[REJECTED <nil> nobody's route][REJECTED 80 route refused]",
		mesh.Extensions: "[REJECTED wasm extension refused]",
		mesh.Secrets:    "[REJECTED cred secret refused]",
	} {
		got := ""
		for _, r := range section(t, p, s) {
			m := r.(*object.Object)
			if m.Get("state") == stateRejected {
				name := m.Get("name")
				if name == "" {
					name = nil
				}
				got += fmt.Sprint([]any{m.Get("state"), name, m.Get("error")})
			} else if m.Get("error") != nil {
				t.Errorf("%s: %v is %v and has an error", s, m.Get("name"), m.Get("state"))
			}
		}
		if got != want {
			t.Errorf("%s:\n %s, not\n %s", s, got, want)
		}
	}
	updates := whole(t, p, mesh.Updates).(*object.Object)
	for key, want := range map[string]string{
		"cds":  "c1 [<nil> nobody's cluster][beside cluster refused 2026-11-01T00:00:00Z]",
		"lds":  "<nil> [<nil> nobody's listener][of the element listener refused l2][of the failed one listener refused too]",
		"rds":  "r1 [<nil> nobody's route][80 route refused]",
		"eds":  "<nil> [good endpoints refused]",
		"ecds": "<nil> [wasm extension refused]",
		"sds":  "<nil> [cred secret refused]",
	} {
		m := updates.Get(key).(*object.Object)
		got := fmt.Sprint(m.Get("version"), " ")
		for _, e := range m.Get("errors").([]any) {
			e := e.(*object.Object)
			words := []any{e.Get("name"), e.Get("error")}
			for _, also := range []any{e.Get("versionInfo"), e.Get("lastUpdated")} {
				if also != nil {
					words = append(words, also)
				}
			}
			got += fmt.Sprint(words)
		}
		if got != want {
			t.Errorf("%s:\n %s, not\n %s", key, got, want)
		}
		if m.Get("accepted") != nil || m.Get("rejected") != nil || m.Get("lastUpdated") != nil {
			t.Errorf("%s: a lone dump counts nothing: %v", key, m)
		}
	}
}

// TestUpdatesOfPartialDump checks that the updates of a type are unknown, not
// empty, if the dump contains nothing about the type.
func TestUpdatesOfPartialDump(t *testing.T) {
	fetch, _ := answers(t, map[string]string{"config_dump": `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump"}]}`})
	updates := whole(t, NewDump(mesh.NewObject("Proxy", nil, object.New(0)), fetch, when), mesh.Updates).(*object.Object)
	if got := updates.Get("cds").(*object.Object).Get("errors"); !object.Equal(got, []any{}) {
		t.Errorf("cds: %v", got)
	}
	if got := updates.Get("lds").(*object.Object).Get("errors"); got != nil {
		t.Errorf("lds: %v of a dump without listeners", got)
	}
}

const someStats = `{"stats":[
{"name":"cluster_manager.cds.version_text","value":"v7"},{"name":"cluster_manager.cds.update_success","value":5},{"name":"cluster_manager.cds.update_rejected","value":2},
{"name":"cluster_manager.cds.update_failure","value":1},{"name":"cluster_manager.cds.update_time","value":1795352553742},
{"name":"listener_manager.lds.update_success","value":1},{"name":"listener_manager.lds.update_rejected","value":0},{"name":"listener_manager.lds.update_time","value":0},
{"name":"http.a.rds.x.y.update_success","value":2},{"name":"http.a.rds.x.y.update_rejected","value":1},{"name":"http.b.rds.z.update_success","value":3},{"name":"http.b.rds.z.update_rejected","value":1},
{"name":"cluster.dns.update_success","value":9},
{"name":"cluster.eds.v1.update_success","value":4},{"name":"cluster.eds.v1.update_rejected","value":0},
{"name":"control_plane.connected_state","value":0},{"name":"control_plane.identifier","value":"istiod-1"},{"histograms":{}}]}`

// TestUpdateCounters reads Envoy's counters from every form of stats.
func TestUpdateCounters(t *testing.T) {
	var text strings.Builder
	var stats struct{ Stats []*object.Object }
	if err := object.Unmarshal([]byte(someStats), &stats); err != nil {
		t.Fatal(err)
	}
	for _, s := range stats.Stats {
		switch v := s.Get("value").(type) {
		case float64:
			fmt.Fprintf(&text, "%s: %d\n", s.Get("name"), int64(v))
		case string:
			fmt.Fprintf(&text, "%s: %q\n", s.Get("name"), v)
		}
	}
	for form, body := range map[string]string{"JSON": someStats, "text": text.String()} {
		fetch, _ := answers(t, map[string]string{"config_dump": `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump"}]}`, "stats": body})
		u := whole(t, NewProxy(mesh.NewObject("Proxy", nil, object.New(0)), fetch, when), mesh.Updates).(*object.Object)
		if u.Get("connected") != false || u.Get("controlPlane") != "istiod-1" {
			t.Errorf("%s: %v", form, u)
		}
		for key, want := range map[string]string{
			"cds": "5 2 1 v7 2026-11-22T13:02:33Z", "lds": "1 0 0 <nil> <nil>", "rds": "5 2 0 <nil> <nil>", "eds": "4 0 0 <nil> <nil>",
			"sds": "<nil> <nil> <nil> <nil> <nil>", "ecds": "<nil> <nil> <nil> <nil> <nil>",
		} {
			m := u.Get(key).(*object.Object)
			if got := strings.TrimSuffix(fmt.Sprintln(m.Get("accepted"), m.Get("rejected"), m.Get("failed"), m.Get("version"), m.Get("lastUpdated")), "\n"); got != want {
				t.Errorf("%s: %s: %s, not %s", form, key, got, want)
			}
		}
	}
}

// TestUpdatesOfLiveEnvoy checks that updates request only the counters that are
// read and the listeners' error states, never a whole dump.
func TestUpdatesOfLiveEnvoy(t *testing.T) {
	stats := Request{What: statistics, Section: mesh.Updates}.Asks(true)[0]
	list := `config_dump?resource=dynamic_listeners&mask=name,error_state`
	fetch, asked := answers(t, map[string]string{stats: someStats, list: `{"configs":[
		{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump.DynamicListener","name":"in"},
		{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump.DynamicListener","name":"out","error_state":{"details":"refused"}}]}`})
	u := whole(t, NewNarrow(mesh.NewObject("Proxy", nil, object.New(0)), fetch, when, mesh.Hint{}), mesh.Updates).(*object.Object)
	if !object.Equal(*asked, []string{stats, list}) {
		t.Errorf("asks for %q", *asked)
	}
	if errs := u.Get("lds").(*object.Object).Get("errors").([]any); len(errs) != 1 || errs[0].(*object.Object).Get("name") != "out" || errs[0].(*object.Object).Get("error") != "refused" {
		t.Errorf("%v", errs)
	}
	if u.Get("cds").(*object.Object).Get("version") != "v7" {
		t.Errorf("%v", u.Get("cds"))
	}
}

// TestUpdateFilter checks that the stats filter selects only a small part of a
// live Envoy's stats, and that the counters are the same as with all stats.
func TestUpdateFilter(t *testing.T) {
	filter := regexp.MustCompile(updateStats())
	for _, dir := range captured(t) {
		file, err := os.ReadFile(filepath.Join(dir, "stats.json"))
		if err != nil {
			continue
		}
		var all struct {
			Stats []*object.Object `json:"stats"`
		}
		if err := object.Unmarshal(file, &all); err != nil {
			t.Fatal(err)
		}
		n := len(all.Stats)
		if n < 1000 {
			continue // this recording doesn't contain all stats
		}
		all.Stats = slices.DeleteFunc(all.Stats, func(s *object.Object) bool { return !filter.MatchString(fmt.Sprint(s.Get("name"))) })
		if len(all.Stats)*4 > n {
			t.Errorf("%s: %d of %d stats", dir, len(all.Stats), n)
		}
		few, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		fetch, _ := answers(t, map[string]string{"stats": string(few)})
		got, err := NewProxy(nil, fetch, when).updateCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want, err := open(t, dir).updateCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !object.Equal(got, want) || got.of["cds"] == nil || got.connected == nil {
			t.Errorf("%s: %v, not %v", dir, got, want)
		}
	}
}
