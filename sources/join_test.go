package sources

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

const uuid = "ad1a24d4-b544-4ed4-88d6-eb0c87a6c986"

// synced returns an element of istiod's syncz for a proxy. The element reports that
// the proxy received CDS in push n, at second n of the minute.
func synced(cluster, id string, n int) string {
	return fmt.Sprintf(`{"cluster_id":%q,"proxy":%q,"proxy_type":"sidecar","istio_version":"1.31.0","resources":{
		"type.googleapis.com/envoy.config.cluster.v3.Cluster":{"sent":"2026-11-22T12:00:00Z/%d%s","acked":"2026-11-22T12:00:00Z/%d%s","sentTime":"2026-11-22T12:00:%02dZ"}}}`,
		cluster, id, n, uuid, n, uuid, n)
}

// connected returns a client in the form of istiod's adsz. The client connected at
// second n of the minute.
func connected(cluster, id string, n int) string {
	return fmt.Sprintf(`{"connectionId":"%s-%d","connectedAt":"2026-11-22T12:00:%02dZ","labels":{"app":"x"},"metadata":{"PROXY_CONFIG":{},"CLUSTER_ID":%q,
		"WORKLOAD_NAME":"vm","SERVICE_ACCOUNT":"sa","INSTANCE_IPS":"10.0.0.9,fd00::9","ISTIO_VERSION":"1.31.0"},"locality":{"region":"r","zone":"z","sub_zone":"s"}}`,
		id, n, n, cluster)
}

func syncz(all ...string) string { return "[" + strings.Join(all, ",") + "]" }

func adsz(all ...string) string { return `{"clients":[` + strings.Join(all, ",") + `]}` }

// podItem returns a Pod with a sidecar.
func podItem(id string) string {
	name, namespace := inventory.SplitID(id)
	return fmt.Sprintf(`{"metadata":{"name":%q,"namespace":%q,"labels":{"pod":%q}},"spec":{"nodeName":"n","containers":[{"name":"app"},{"name":"istio-proxy"}]},"status":{"podIP":"10.1.1.1"}}`,
		name, namespace, id)
}

func podItems(all ...string) string {
	var items []string
	for _, id := range all {
		items = append(items, podItem(id))
	}
	return `{"kind":"List","items":[` + strings.Join(items, ",") + `]}`
}

// TestTwoPilots checks that a proxy that two istiods list appears once, with the
// sync state from the istiod to which it connected last.
func TestTwoPilots(t *testing.T) {
	m := open(t, Options{}, source(t, files(t, map[string]string{
		"pilots/i-a.s/syncz.json": syncz(synced("c", "both.x", 1), synced("c", "a.x", 2), synced("c", "tie.x", 5), synced("c", "quiet.x", 3)),
		"pilots/i-a.s/adsz.json":  adsz(connected("c", "both.x", 30), connected("c", "a.x", 1), connected("c", "quiet.x", 7)),
		"pilots/i-b.s/syncz.json": syncz(synced("c", "both.x", 9), synced("c", "b.x", 2), synced("c", "tie.x", 5), synced("c", "quiet.x", 4)),
		"pilots/i-b.s/adsz.json":  adsz(connected("c", "both.x", 20), connected("c", "b.x", 1), connected("c", "quiet.x", 7)),
		"kubernetes/pods.json":    podItems("both.x", "a.x", "b.x"),
	})))
	by, order := proxies(t, m)
	same(t, "order", order, []string{"a.x", "b.x", "both.x", "quiet.x", "tie.x"})
	for id, want := range map[string]string{
		"a.x": "i-a [i-a] 2", "b.x": "i-b [i-b] 2",
		"both.x":  "i-a [i-a i-b] 1", // the later connection wins, although i-b pushed its configuration later
		"quiet.x": "i-b [i-b i-a] 4", // both connections began in the same second, so the later push wins
		// connections and pushes have equal times, so the order of the istiods'
		// names decides
		"tie.x": "i-a [i-a i-b] 5",
	} {
		got := fmt.Sprint(at(t, by[id], "pilot"), " ", at(t, by[id], "pilots"), " ", strings.TrimPrefix(at(t, by[id], "sync", "cds", "sent").(string), "2026-11-22T12:00:00Z/"))
		if got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	var pilots []string
	for _, p := range at(t, m.Document(), "pilots").([]any) {
		pilots = append(pilots, fmt.Sprint(at(t, p, "name"), at(t, p, "connectedProxies"), at(t, p, "clusterID")))
	}
	same(t, "pilots", pilots, []string{"i-a4c", "i-b4c"})
}

// TestTwoConnections checks that the later connection wins if a proxy has two
// connections, which can happen after it has reconnected.
func TestTwoConnections(t *testing.T) {
	m := open(t, Options{}, source(t, files(t, map[string]string{
		"pilots/i.s/syncz.json": syncz(synced("c", "p.x", 7), synced("c", "p.x", 3)),
		"pilots/i.s/adsz.json":  adsz(connected("c", "p.x", 9), connected("c", "p.x", 8)),
	})))
	by, order := proxies(t, m)
	same(t, "order", order, []string{"p.x"})
	if at, sent := at(t, by["p.x"], "connectedAt"), at(t, by["p.x"], "sync", "cds", "sentAt"); at != "2026-11-22T12:00:09Z" || sent != "2026-11-22T12:00:07Z" {
		t.Errorf("connected %v, sent %v", at, sent)
	}
}

// TestWhoIsThere checks that the proxies include connections without pods and pods
// without connections, but no other clients of istiod and no other pods.
func TestWhoIsThere(t *testing.T) {
	tool := `{"connectionId":"test-1.default-4","connectedAt":"2026-11-22T12:00:00Z","metadata":{"ISTIO_VERSION":"65536.65536.65536"}}`
	helper := `{"connectionId":"helper.x-5","connectedAt":"2026-11-22T12:00:00Z","metadata":{"ISTIO_VERSION":"1.31.0"}}`
	done := `{"metadata":{"name":"done","namespace":"x"},"spec":{"containers":[{"name":"istio-proxy"}]},"status":{"phase":"Succeeded"}}`
	plainPod := `{"metadata":{"name":"plain","namespace":"x"},"spec":{"containers":[{"name":"app"}]}}`
	m := open(t, Options{}, source(t, files(t, map[string]string{
		"pilots/i.s/syncz.json": syncz(synced("c", "vm.x", 1), synced("c", "p.x", 1), `{"proxy":"test-1.default"}`, `{"proxy":"helper.x","proxy_type":"sidecar"}`,
			`{"proxy":"zt.x","proxy_type":"ztunnel","cluster_id":"c"}`),
		"pilots/i.s/adsz.json": adsz(connected("c", "vm.x", 1), connected("c", "p.x", 2), tool, helper,
			`{"connectionId":"zt.x-6","metadata":{"CLUSTER_ID":"c"}}`),
		"kubernetes/pods.json": strings.Replace(podItems("p.x", "alone.x"), `"items":[`, `"items":[`+done+","+plainPod+",", 1),
	})))
	by, order := proxies(t, m)
	same(t, "order", order, []string{"alone.x", "p.x", "vm.x", "zt.x"})
	for id, want := range map[string]string{
		"alone.x": "connected:false connectedAt:<nil> pilot:<nil> ready:false node:n workload:alone clusterID:c cds:UNKNOWN nds:UNKNOWN version:<nil>",
		"p.x":     "connected:true connectedAt:2026-11-22T12:00:02Z pilot:i ready:false node:n workload:vm clusterID:c cds:SYNCED nds:IGNORED version:1.31.0",
		"vm.x":    "connected:true connectedAt:2026-11-22T12:00:01Z pilot:i ready:<nil> node:<nil> workload:vm clusterID:c cds:SYNCED nds:IGNORED version:1.31.0",
		"zt.x":    "connected:true connectedAt:<nil> pilot:i ready:<nil> node:<nil> workload:<nil> clusterID:c cds:IGNORED nds:IGNORED version:<nil>",
	} {
		var got []string
		for _, pair := range strings.Fields(want) {
			key, _, _ := strings.Cut(pair, ":")
			got = append(got, fmt.Sprintf("%s:%v", key, at(t, by[id], key)))
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s:\n got %s\nwant %s", id, g, want)
		}
	}
	if got := fmt.Sprint(at(t, by["vm.x"], "ip"), at(t, by["vm.x"], "ips"), at(t, by["vm.x"], "annotations"), at(t, by["vm.x"], "labels")); got != "10.0.0.9[10.0.0.9 fd00::9] <nil> map[app:x]" {
		t.Errorf("vm.x: %s", got)
	}
	if got := fmt.Sprint(at(t, by["vm.x"], "locality")); got != "map[region:r subZone:s zone:z]" {
		t.Errorf("locality %s", got)
	}
	if got := at(t, by["alone.x"], "sync", "rds", "status"); got != mesh.Unknown {
		t.Errorf("status %v", got)
	}
}

// TestIncompleteOutline checks that for each missing part of the inventory, the
// document has a fault, and still has all proxies and fields that the other parts
// contain.
func TestIncompleteOutline(t *testing.T) {
	whole := map[string]string{
		"pilots/i.s/syncz.json": syncz(synced("c", "p.x", 1), `{"proxy":"test-1.default","istio_version":"65536.65536.65536"}`),
		"pilots/i.s/adsz.json":  adsz(connected("c", "p.x", 2)),
		"pilots/i.s/mesh.json":  `{}`,
		"kubernetes/pods.json":  podItems("p.x", "alone.x"),
		"kubernetes/nodes.json": `{"items":[]}`,
		"proxies/p.x/ready.txt": "LIVE",
	}
	for _, c := range []struct {
		without string
		instead string
		proxies string // the fields of each proxy: id, connected, cds, pilot and connectedAt
		faults  []string
	}{
		{"", "", "alone.x false UNKNOWN <nil> <nil>, p.x true SYNCED i 2026-11-22T12:00:02Z", nil},
		{"pilots/i.s/adsz.json", "", "alone.x false UNKNOWN <nil> <nil>, p.x true SYNCED i <nil>", []string{"i.s: adsz: not in the snapshot"}},
		{"pilots/i.s/syncz.json", "", "alone.x false UNKNOWN <nil> <nil>, p.x true UNKNOWN i 2026-11-22T12:00:02Z", []string{"i.s: syncz: not in the snapshot"}},
		{"pilots/i.s/syncz.json", `[{"proxy":"p.x",]`, "alone.x false UNKNOWN <nil> <nil>, p.x true UNKNOWN i 2026-11-22T12:00:02Z",
			[]string{"i.s: syncz: syncz.json: expected a name in quotes but found ']' at byte 16"}},
		{"kubernetes/pods.json", "", "p.x true SYNCED i 2026-11-22T12:00:02Z", []string{"kubernetes: pods: not in the snapshot"}},
	} {
		all := map[string]string{}
		for k, v := range whole {
			if all[k] = v; k == c.without {
				if all[k] = c.instead; c.instead == "" {
					delete(all, k)
				}
			}
		}
		m := open(t, Options{}, source(t, files(t, all)))
		by, order := proxies(t, m)
		var got []string
		for _, id := range order {
			got = append(got, fmt.Sprint(id, " ", at(t, by[id], "connected"), " ", at(t, by[id], "cds"), " ", at(t, by[id], "pilot"), " ", at(t, by[id], "connectedAt")))
		}
		if g := strings.Join(got, ", "); g != c.proxies {
			t.Errorf("without %s:\n got %s\nwant %s", c.without, g, c.proxies)
		}
		same(t, "faults without "+c.without, faults(m), c.faults)
		if n := len(m.LeftOut()); n != len(c.faults) {
			t.Errorf("%d left out", n)
		}
		var hung []string
		for _, f := range at(t, m.Document(), "faults").([]any) {
			hung = append(hung, fmt.Sprintf("%v: %v: %v", at(t, f, "subject"), at(t, f, "section"), at(t, f, "message")))
		}
		same(t, ".faults without "+c.without, hung, c.faults)
	}
}

// TestNoPilots checks that the field connected is null for every proxy if the
// snapshot contains no istiod.
func TestNoPilots(t *testing.T) {
	m := open(t, Options{}, source(t, files(t, map[string]string{"kubernetes/pods.json": podItems("p.x")})))
	by, _ := proxies(t, m)
	if got := at(t, by["p.x"], "connected"); got != nil {
		t.Errorf("connected %v", got)
	}
	same(t, "faults", faults(m), []string{"pilots: not in the snapshot"})
}

// TestContexts reads two contexts. Each has its own istiod, and some of their pods
// have the same names. Pods of the second cluster are connected to the first
// context's istiod, too.
func TestContexts(t *testing.T) {
	snapshot := func(context string) map[string]string {
		return map[string]string{"manifest.json": `{"kind":"Snapshot","version":1,"takenAt":"2026-11-22T13:00:00Z","context":"` + context + `"}`}
	}
	east, west := snapshot("east"), snapshot("west")
	east["pilots/i-e.s/syncz.json"] = syncz(synced("E", "db-0.x", 1), synced("E", "e1.x", 1), synced("E", "e2.x", 1), synced("W", "w1.x", 4))
	east["pilots/i-e.s/adsz.json"] = adsz(connected("E", "db-0.x", 1), connected("E", "e1.x", 1), connected("E", "e2.x", 1), connected("W", "w1.x", 4))
	east["kubernetes/pods.json"] = podItems("db-0.x", "e1.x", "e2.x", "lost.x")
	east["proxies/db-0.x/server_info.json"] = `{"version":"east"}`
	west["pilots/i-w.s/syncz.json"] = syncz(synced("W", "db-0.x", 2), synced("W", "w1.x", 3), synced("W", "w2.x", 3))
	west["pilots/i-w.s/adsz.json"] = adsz(connected("W", "db-0.x", 2), connected("W", "w1.x", 3), connected("W", "w2.x", 3))
	west["kubernetes/pods.json"] = podItems("db-0.x", "w1.x", "w2.x", "lost.x")
	west["proxies/db-0.x/server_info.json"] = `{"version":"west"}`
	west["proxies/w1.x/server_info.json"] = `{"version":"west"}`
	m := open(t, Options{}, source(t, files(t, east)), source(t, files(t, west)))
	var got []string
	for _, p := range at(t, m.Document(), "proxies").([]any) {
		version := any("-")
		if v, err := look(t, p, "server", "version"); err == nil {
			version = v
		}
		got = append(got, fmt.Sprint(at(t, p, "clusterID"), " ", at(t, p, "id"), " ", at(t, p, "pilot"), " ", at(t, p, "connected"), " ", version))
	}
	same(t, "proxies", got, []string{
		"E db-0.x i-e true east", "E e1.x i-e true -", "E e2.x i-e true -", "E lost.x <nil> false -",
		"W db-0.x i-w true west", "W lost.x <nil> false -", "W w1.x i-e true west", "W w2.x i-w true -",
	})
	var pilots []string
	for _, p := range at(t, m.Document(), "pilots").([]any) {
		pilots = append(pilots, fmt.Sprint(at(t, p, "name"), " ", at(t, p, "clusterID")))
	}
	same(t, "pilots", pilots, []string{"i-e E", "i-w W"})
	if got := fmt.Sprint(at(t, m.Document(), "contexts")); got != "[east west]" {
		t.Errorf("contexts %s", got)
	}
}

// TestContextsOfOneName checks that two unrelated meshes may use the same cluster
// id. Their proxies stay separate, even if they have the same names.
func TestContextsOfOneName(t *testing.T) {
	of := func(context string, n int) map[string]string {
		return map[string]string{
			"manifest.json":         `{"kind":"Snapshot","version":1,"takenAt":"2026-11-22T13:00:00Z","context":"` + context + `"}`,
			"pilots/i.s/syncz.json": syncz(synced("K", "db-0.x", n)), "pilots/i.s/adsz.json": adsz(connected("K", "db-0.x", n)),
			"kubernetes/pods.json": podItems("db-0.x"),
		}
	}
	m := open(t, Options{}, source(t, files(t, of("east", 1))), source(t, files(t, of("west", 2))))
	var got []string
	for _, p := range at(t, m.Document(), "proxies").([]any) {
		got = append(got, fmt.Sprint(at(t, p, "context"), " ", at(t, p, "id"), " ", at(t, p, "pilots"), " ", at(t, p, "connectedAt"), " ", at(t, p, "ready") != nil))
	}
	same(t, "proxies", got, []string{"east db-0.x [i] 2026-11-22T12:00:01Z true", "west db-0.x [i] 2026-11-22T12:00:02Z true"})
	m = open(t, Options{Proxies: []string{"west/db-0"}}, source(t, files(t, of("east", 1))), source(t, files(t, of("west", 2))))
	if all := at(t, m.Document(), "proxies").([]any); len(all) != 1 || at(t, all[0], "context") != "west" {
		t.Errorf("%d proxies", len(all))
	}
}

// TestShards checks that two snapshots that each contain one part of the same
// context are read as one mesh.
func TestShards(t *testing.T) {
	one, two := source(t, files(t, map[string]string{
		"pilots/i.s/syncz.json":        syncz(synced("c", "a.x", 1), synced("c", "b.x", 1)),
		"pilots/i.s/adsz.json":         adsz(connected("c", "a.x", 1), connected("c", "b.x", 1)),
		"proxies/a.x/server_info.json": `{"version":"a"}`,
	})), source(t, files(t, map[string]string{
		"manifest.json":                `{"kind":"Snapshot","version":1,"takenAt":"2026-11-22T14:00:00Z"}`,
		"kubernetes/pods.json":         podItems("a.x", "b.x", "c.x"),
		"proxies/b.x/server_info.json": `{"version":"b"}`,
		"proxies/a.x/logging.txt":      "active loggers:\n  admin: info\n",
	}))
	m := open(t, Options{}, one, two)
	by, order := proxies(t, m)
	same(t, "order", order, []string{"a.x", "b.x", "c.x"})
	for id, want := range object.Of("a.x", "a", "b.x", "b").All() {
		if got := at(t, by[id], "server", "version"); got != want {
			t.Errorf("%s: %v", id, got)
		}
	}
	if got := at(t, by["a.x"], "loggers", "admin"); got != "info" {
		t.Errorf("loggers %v", got)
	}
	if got := at(t, m.Document(), "takenAt"); got != "2026-11-22T14:00:00Z" || m.Now() != instantOf(t, "2026-11-22T14:00:00Z") {
		t.Errorf("taken at %v, now %v", got, m.Now())
	}
	same(t, "faults", faults(m), nil)
}

// A delayed source takes a second for each fetch.
type delayed struct{ transport.Source }

func (d delayed) Fetch(ctx context.Context, proxy, request string, h mesh.Hint) (*transport.Body, error) {
	time.Sleep(time.Second)
	return d.Source.Fetch(ctx, proxy, request, h)
}

// TestUnknownProxiesAreIdentifiedAtOnce opens 32 proxies that no istiod and no API
// server lists. Each takes one second to read, so reading all of them has to take
// 32/Concurrency seconds.
func TestUnknownProxiesAreIdentifiedAtOnce(t *testing.T) {
	all := map[string]string{}
	for i := range 32 {
		all[fmt.Sprintf("proxies/p-%d.n/config_dump.json", i)] = fmt.Sprintf(`{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump",
			"bootstrap":{"node":{"id":"sidecar~10.0.0.%d~p-%d.n~n.svc.cluster.local"}}}]}`, i, i)
	}
	for concurrency, want := range map[int]time.Duration{16: 2 * time.Second, 4: 8 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now() // the time is synctest's fake time
			m := open(t, Options{Concurrency: concurrency}, &counted{Source: delayed{source(t, files(t, all))}})
			if _, order := proxies(t, m); len(order) != 32 || order[0] != "p-0.n" {
				t.Errorf("%q", order)
			}
			if took := time.Since(began); took != want {
				t.Errorf("--concurrency %d: %s, expected %s", concurrency, took, want)
			}
		})
	}
}
