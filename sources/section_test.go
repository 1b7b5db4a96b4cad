package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestSections compares the names of the elements of the section clusters with the
// snapshot's files, and checks which requests are sent to load each section.
func TestSections(t *testing.T) {
	s := source(t, capture)
	m := open(t, Options{}, s)
	by, _ := proxies(t, m)
	dump := parsed[struct{ Configs []*object.Object }](t, filepath.Join(capture, "proxies", reviewsV2, "config_dump.json")).Configs
	var names []string
	for _, part := range dump {
		for _, list := range []string{"static_clusters", "dynamic_active_clusters"} {
			all, _ := part.Get(list).([]any)
			for _, c := range all {
				names = append(names, c.(*object.Object).Get("cluster").(*object.Object).Get("name").(string))
			}
		}
	}
	slices.Sort(names)
	var got []string
	for _, c := range at(t, by[reviewsV2], "clusters").([]any) {
		o := c.(*mesh.Object)
		if o.Kind != "Cluster" || o.Owner != by[reviewsV2] {
			t.Errorf("a %s of %v", o.Kind, o.Owner)
		}
		got = append(got, at(t, c, "name").(string))
	}
	same(t, "clusters", got, names)
	for _, section := range []string{"listeners", "routes", "endpoints", "secrets", "extensions"} {
		if a, ok := at(t, by[reviewsV2], section).([]any); !ok || len(a) == 0 && section != "extensions" {
			t.Errorf("%s: %v", section, a)
		}
	}
	if got := at(t, by[reviewsV2], "bootstrap", "node", "metadata", "WORKLOAD_NAME"); got != "reviews-v2" {
		t.Errorf("bootstrap: %v", got)
	}
	asked := []string{"list pods", "pilot adsz", "pilot syncz", "proxy " + reviewsV2 + " config_dump"}
	same(t, "asked", s.log(), asked)

	version := parsed[struct{ Version string }](t, filepath.Join(capture, "proxies", reviewsV2, "server_info.json")).Version
	if got := at(t, by[reviewsV2], "server", "version"); got != version {
		t.Errorf("server: %v", got)
	}
	if got := at(t, by[reviewsV2], "loggers", "admin"); got != "warning" {
		t.Errorf("loggers: %v", got)
	}
	at(t, by[reviewsV2], "stats")
	asked = append(asked, "proxy "+reviewsV2+" logging", "proxy "+reviewsV2+" server_info", "proxy "+reviewsV2+" stats")
	same(t, "asked", s.log(), asked)
	if got := at(t, at(t, by[reviewsV2], "endpoints").([]any)[0], "outlier"); got != "OK" {
		t.Errorf("outlier: %v", got)
	}
	same(t, "asked", s.log(), slices.Sorted(slices.Values(append(asked, "proxy "+reviewsV2+" clusters"))))
	var loaded []string
	for _, l := range m.Sections() {
		loaded = append(loaded, strings.TrimPrefix(l.Proxy, reviewsV2)+string(l.Section))
	}
	same(t, "loaded", loaded, []string{"bootstrap", "clusters", "endpoints", "extensions", "listeners", "loggers", "routes", "secrets", "server", "stats"})
	same(t, "faults", faults(m), nil)
}

// TestSectionFaults checks that an unavailable section causes one fault of that
// proxy and section, recorded once, and that other sections and proxies are still
// available.
func TestSectionFaults(t *testing.T) {
	dir := copied(t)
	dump := filepath.Join(dir, "proxies", gateway, "config_dump.json")
	whole, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"cut short", string(whole[:812]), "config_dump.json: unexpected end of JSON at byte 812"},
		{"empty", "", "config_dump.json: empty input instead of JSON at byte 0"},
		{"another thing", "<html>", "config_dump.json: "},
		{"broken behind", strings.TrimSuffix(string(whole), "}\n") + "!", "config_dump.json: "},
		{"another document", `{"configs":[]}`, "config_dump.json: no ClustersConfigDump in it"},
	} {
		put(t, dir, "proxies/"+gateway+"/config_dump.json", c.text)
		m := open(t, Options{}, source(t, dir))
		by, _ := proxies(t, m)
		var got error
		for range 3 {
			_, got = look(t, by[gateway], "clusters")
		}
		f, ok := got.(*mesh.Fault)
		if !ok || f.Proxy != gateway || f.Section != "clusters" || !strings.HasPrefix(got.Error(), gateway+": clusters: "+c.want) {
			t.Errorf("%s: %v", c.name, got)
		}
		if all := m.Faults(); len(all) != 1 || all[0] != f || m.LeftOut() != nil {
			t.Errorf("%s: recorded %v", c.name, faults(m))
		}
		if at(t, by[reviewsV2], "clusters") == nil || at(t, by[gateway], "server", "version") == nil {
			t.Errorf("%s: others are gone", c.name)
		}
		if all := at(t, m.Document(), "faults").([]any); len(all) != 0 {
			t.Errorf("%s: .faults depends on what was loaded: %v", c.name, all)
		}
	}
}

func TestSectionsNotInTheSnapshot(t *testing.T) {
	dir := copied(t)
	for _, name := range []string{"stats.json", "clusters.json", "logging.txt"} {
		if err := os.Remove(filepath.Join(dir, "proxies", gateway, name)); err != nil {
			t.Fatal(err)
		}
	}
	m := open(t, Options{}, source(t, dir))
	by, _ := proxies(t, m)
	for path, want := range map[string]string{
		gateway + " stats":    gateway + ": stats: not in the snapshot",
		gateway + " loggers":  gateway + ": loggers: logging: not in the snapshot",
		reviewsV1 + " routes": reviewsV1 + ": routes: config_dump: not in the snapshot",
		reviewsV1 + " server": reviewsV1 + ": server: server_info: not in the snapshot",
	} {
		id, section, _ := strings.Cut(path, " ")
		if _, err := look(t, by[id], section); err == nil || err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	rows := at(t, by[gateway], "endpoints").([]any)
	for range 2 {
		if _, err := look(t, rows[0], "outlier"); err == nil || err.Error() != gateway+": endpoints: clusters: not in the snapshot" {
			t.Errorf("outlier: %v", err)
		}
	}
	same(t, "faults", faults(m), []string{
		gateway + ": endpoints: clusters: not in the snapshot",
		gateway + ": loggers: logging: not in the snapshot",
		gateway + ": stats: not in the snapshot",
		reviewsV1 + ": routes: config_dump: not in the snapshot",
		reviewsV1 + ": server: server_info: not in the snapshot",
	})
}

// TestSmallMemory checks that with a very small memory limit, all values are the
// same and no response is requested twice.
func TestSmallMemory(t *testing.T) {
	s, roomy := source(t, capture), open(t, Options{}, source(t, capture))
	m := open(t, Options{Memory: 1 << 10}, s)
	by, _ := proxies(t, m)
	all, _ := proxies(t, roomy)
	for range 2 {
		for _, id := range []string{gateway, reviewsV2} {
			for _, p := range mesh.SectionsOf("sidecar") {
				section := string(p.Name)
				if d := cmp.Diff(plain(t, at(t, all[id], section)), plain(t, at(t, by[id], section))); d != "" {
					t.Errorf("%s %s: %s", id, section, d)
				}
			}
		}
	}
	c := m.Memory()
	if c.Evictions == 0 || c.Loads <= roomy.Memory().Loads || roomy.Memory().Evictions != 0 {
		t.Errorf("%+v; with room %+v", c, roomy.Memory())
	}
	for _, line := range s.log() {
		if strings.HasSuffix(line, "again") {
			t.Error(line)
		}
	}
}

// TestManyAtOnce reads everything concurrently with a memory limit. It checks that
// nothing is requested twice and that the limit on concurrent requests holds.
func TestManyAtOnce(t *testing.T) {
	s := source(t, capture)
	m := open(t, Options{Memory: 200 << 10, Concurrency: 3}, s)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			all, err := mesh.Get(t.Context(), m.Document(), "proxies")
			if err != nil {
				t.Error(err)
				return
			}
			list, err := mesh.Force(t.Context(), all)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range list.([]any) {
				p := list.([]any)[(i+n)%len(list.([]any))]
				for _, part := range mesh.SectionsOf("sidecar") {
					v, err := mesh.Get(t.Context(), p, string(part.Name))
					if err == nil {
						_, err = mesh.Deep(t.Context(), v)
					}
					if err != nil && !strings.Contains(err.Error(), "not in the snapshot") {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, line := range s.log() {
		if strings.HasSuffix(line, "again") {
			t.Error(line)
		}
	}
	if s.most > 3 || s.most < 2 {
		t.Errorf("%d requests at once, 3 are allowed", s.most)
	}
}

func TestLedger(t *testing.T) {
	var mu sync.Mutex
	clock := time.Unix(0, 0)
	tick := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		clock = clock.Add(time.Second)
		return clock
	}
	m := open(t, Options{Clock: tick, Concurrency: 1}, source(t, capture))
	by, _ := proxies(t, m)
	at(t, by[reviewsV2], "clusters")
	at(t, by[reviewsV2], "routes")
	look(t, by[reviewsV1], "stats")
	at(t, m.Document(), "pods")
	var got []string
	for _, a := range m.Ledger() {
		if a.Took < time.Second {
			t.Errorf("%+v", a)
		}
		got = append(got, fmt.Sprintf("%s %s %s %d %d %v", a.Context, a.Whom, a.What, a.Bytes, a.Again, a.Missing))
	}
	size := func(name string) int64 {
		info, err := os.Stat(filepath.Join(capture, name))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	same(t, "ledger", got, []string{
		fmt.Sprintf("bookinfo %s adsz %d 0 false", thePilot, size("pilots/"+thePilot+"/adsz.json")),
		fmt.Sprintf("bookinfo %s syncz %d 0 false", thePilot, size("pilots/"+thePilot+"/syncz.json")),
		fmt.Sprintf("bookinfo kubernetes pods %d 1 false", size("kubernetes/pods.json")),
		fmt.Sprintf("bookinfo %s stats 0 0 true", reviewsV1),
		fmt.Sprintf("bookinfo %s config_dump %d 0 false", reviewsV2, size("proxies/"+reviewsV2+"/config_dump.json")),
	})
}

// TestLoneDump checks that a single config dump is a mesh with one proxy.
func TestLoneDump(t *testing.T) {
	now := instantOf(t, "2026-12-24T18:00:00Z")
	m := open(t, Options{Now: now}, source(t, filepath.Join(capture, "proxies", gateway, "config_dump.json")))
	by, order := proxies(t, m)
	same(t, "order", order, []string{gateway})
	want := "router Kubernetes <nil> UNKNOWN 10.244.0.16 istio-ingressgateway map[region:eu-west1 zone:eu-west1-b] 1.31.0"
	var got []string
	for _, k := range []string{"type", "clusterID", "connected", "rds", "ip", "workload", "locality", "version"} {
		got = append(got, fmt.Sprint(at(t, by[gateway], k)))
	}
	if g := strings.Join(got, " "); g != want {
		t.Errorf("%s", g)
	}
	if n := len(at(t, by[gateway], "clusters").([]any)); n != 31 {
		t.Errorf("%d clusters", n)
	}
	if at(t, m.Document(), "takenAt") != nil || m.Now() != now {
		t.Errorf("now %v", m.Now())
	}
	if _, err := look(t, m.Document(), "services"); err == nil || err.Error() != "kubernetes: services: a config dump says nothing of it" {
		t.Errorf("services: %v", err)
	}
	if got := fmt.Sprint(at(t, m.Document(), "pilots"), at(t, m.Document(), "faults"), at(t, m.Document(), "contexts")); got != "[] [] []" {
		t.Errorf("%s", got)
	}
}

// TestDumpsBesideASnapshot checks that a config dump that is opened together with a
// snapshot belongs to the proxy that the dump names. A dump that names no proxy
// becomes a separate proxy.
func TestDumpsBesideASnapshot(t *testing.T) {
	nobody := files(t, map[string]string{"dump.json": `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump"}]}`}) + "/dump.json"
	broken := files(t, map[string]string{"dump.json": `{"configs":[{"@type":]}`}) + "/dump.json"
	m := open(t, Options{},
		source(t, files(t, map[string]string{
			"pilots/i.s/syncz.json": syncz(synced("Kubernetes", gateway, 1)), "pilots/i.s/adsz.json": adsz(connected("Kubernetes", gateway, 1)),
			"kubernetes/pods.json": podItems(gateway),
		})),
		source(t, filepath.Join(capture, "proxies", gateway, "config_dump.json")), source(t, nobody), source(t, nobody), source(t, broken))
	by, order := proxies(t, m)
	same(t, "order", order, []string{"unknown", "unknown-2", gateway})
	if n := len(at(t, by[gateway], "clusters").([]any)); n != 31 || at(t, by[gateway], "cds") != "SYNCED" {
		t.Errorf("%d clusters", n)
	}
	if n := at(t, by["unknown"], "clusters").([]any); len(n) != 0 || at(t, by["unknown"], "name") != nil {
		t.Errorf("%v", n)
	}
	if all := faults(m); len(all) != 1 || !strings.HasPrefix(all[0], "config_dump: config_dump.json: ") {
		t.Errorf("%q", all)
	}
}

// TestTwoDumpsOfAProxy checks that two config dumps of one proxy that were taken at
// different times appear as two proxies.
func TestTwoDumpsOfAProxy(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join(capture, "proxies", gateway, "config_dump.json"))
	if err != nil {
		t.Fatal(err)
	}
	later := files(t, map[string]string{"dump.json": strings.ReplaceAll(string(whole), `"name":"outbound|80||`, `"name":"outbound|81||`)}) + "/dump.json"
	m := open(t, Options{}, source(t, filepath.Join(capture, "proxies", gateway, "config_dump.json")), source(t, later))
	by, order := proxies(t, m)
	same(t, "order", order, []string{gateway, gateway + "-2"})
	for id, want := range map[string]int{gateway: 80, gateway + "-2": 81} {
		if !slices.ContainsFunc(at(t, by[id], "clusters").([]any), func(c any) bool { return at(t, c, "port") == want }) {
			t.Errorf("%s: no cluster of port %d", id, want)
		}
		if got := at(t, by[id], "name").(string) + "." + at(t, by[id], "namespace").(string); got != gateway {
			t.Errorf("%s: %s", id, got)
		}
	}
}

// TestStrangers checks that the config dump describes a proxy for which the
// snapshot contains a folder but neither a pod nor a connection.
func TestStrangers(t *testing.T) {
	dump, err := os.ReadFile(filepath.Join(capture, "proxies", reviewsV2, "config_dump.json"))
	if err != nil {
		t.Fatal(err)
	}
	m := open(t, Options{}, source(t, files(t, map[string]string{
		"proxies/" + reviewsV2 + "/config_dump.json": string(dump),
		"proxies/other.x/config_dump.json":           `{"configs":[`,
		"proxies/zt.x/config_dump.json":              `{"workloads":[{"name":"w"}],"services":[]}`,
	})))
	by, order := proxies(t, m)
	same(t, "order", order, []string{"other.x", "zt.x", reviewsV2})
	if n := len(at(t, by["zt.x"], "workloads").([]any)); n != 1 || at(t, by["zt.x"], "type") != "ztunnel" {
		t.Errorf("zt.x: %d workloads", n)
	}
	if got := fmt.Sprint(at(t, by[reviewsV2], "type"), at(t, by[reviewsV2], "connected"), at(t, by["other.x"], "type"), at(t, by["other.x"], "namespace")); got != "sidecar<nil> <nil>x" {
		t.Errorf("%s", got)
	}
	same(t, "faults", faults(m), []string{
		"kubernetes: pods: not in the snapshot", "pilots: not in the snapshot",
		"other.x: config_dump: config_dump.json: unexpected end of JSON at byte 12",
	})
}
