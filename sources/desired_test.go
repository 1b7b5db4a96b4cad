package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// TestDesired compares the configuration that istiod would send with istiod's own
// dumps.
func TestDesired(t *testing.T) {
	s := source(t, capture)
	m := open(t, Options{}, s)
	by, _ := proxies(t, m)
	d, err := m.Desired(t.Context(), by[reviewsV2])
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.Desired(t.Context(), by[reviewsV2]); again != d || err != nil {
		t.Errorf("another object the second time: %v", err)
	}
	if d.Kind != "Desired" || d.Owner != by[reviewsV2] {
		t.Errorf("%s", d.Kind)
	}
	same(t, "asked before a look", s.log(), []string{"list pods", "pilot adsz", "pilot syncz"})

	dir := filepath.Join(capture, "pilots", thePilot)
	dump := parsed[struct{ Configs []*object.Object }](t, filepath.Join(dir, "config_dump."+reviewsV2+".json")).Configs
	resources := map[string]*object.Object{"clusters": object.New(0), "listeners": object.New(0), "routes": object.New(0)}
	for _, part := range dump {
		for _, e := range list(part.Get("dynamicActiveClusters")) {
			c := e.(*object.Object).Get("cluster").(*object.Object)
			resources["clusters"].Set(c.Get("name").(string), c)
		}
		for _, e := range list(part.Get("dynamicListeners")) {
			l := e.(*object.Object).Get("activeState").(*object.Object).Get("listener").(*object.Object)
			resources["listeners"].Set(l.Get("name").(string), l)
		}
		for _, e := range list(part.Get("dynamicRouteConfigs")) {
			r := e.(*object.Object).Get("routeConfig").(*object.Object)
			resources["routes"].Set(r.Get("name").(string), r)
		}
	}
	for section, want := range resources {
		got := plain(t, at(t, d, section)).([]any)
		if len(got) != want.Len() || want.Len() == 0 {
			t.Errorf("%s: %d of %d", section, len(got), want.Len())
		}
		for _, g := range got {
			// The object also has fields that the plugin adds, so only the
			// fields of istiod's dump are compared.
			g := g.(*object.Object)
			for k, v := range want.Get(g.Get("name").(string)).(*object.Object).All() {
				if k == "virtualHosts" || k == "@type" {
					continue
				}
				if d := cmp.Diff(v, g.Get(k)); d != "" {
					t.Errorf("%s %s.%s: %s", section, g.Get("name"), k, d)
				}
			}
		}
	}
	if n := len(at(t, d, "secrets").([]any)) + len(at(t, d, "extensions").([]any)); n != 0 {
		t.Errorf("%d secrets and extensions", n)
	}
	same(t, "asked", s.log(), []string{"list pods", "pilot adsz", "pilot config_dump?proxyID=" + reviewsV2, "pilot syncz"})

	var got, want []string
	for _, e := range at(t, d, "endpoints").([]any) {
		got = append(got, fmt.Sprint(at(t, e, "cluster"), " ", at(t, e, "address"), " ", at(t, e, "health")))
	}
	for _, c := range parsed[struct{ Configs []*object.Object }](t, filepath.Join(dir, "edsz."+reviewsV2+".json")).Configs {
		for _, g := range list(c.Get("endpoints")) {
			for _, h := range list(g.(*object.Object).Get("lbEndpoints")) {
				h := h.(*object.Object)
				a := h.Get("endpoint").(*object.Object).Get("address").(*object.Object).Get("socketAddress").(*object.Object)
				want = append(want, fmt.Sprintf("%v %v:%v %v", c.Get("clusterName"), a.Get("address"), a.Get("portValue"), h.Get("healthStatus")))
			}
		}
	}
	if d := cmp.Diff(sorted(want), sorted(got)); d != "" {
		t.Error(d)
	}
	same(t, "faults", faults(m), nil)
}

func list(v any) []any {
	a, _ := v.([]any)
	return a
}

// TestDesiredIsOutOfReach checks that reading the whole document sends no request
// that makes istiod compute a push. Only an explicit call of Desired does.
func TestDesiredIsOutOfReach(t *testing.T) {
	s := source(t, capture)
	m := open(t, Options{}, s)
	by, _ := proxies(t, m)
	for _, o := range []any{by[reviewsV2], at(t, m.Document(), "pilots").([]any)[0]} {
		if _, err := mesh.Deep(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range s.log() {
		if strings.HasPrefix(line, "pilot config_dump") || strings.HasPrefix(line, "pilot edsz") {
			t.Error(line)
		}
	}
}

func TestDesiredFaults(t *testing.T) {
	m := open(t, Options{}, source(t, files(t, map[string]string{
		"pilots/i.s/syncz.json": syncz(synced("c", "p.x", 1), `{"proxy":"z.x","proxy_type":"ztunnel","cluster_id":"c"}`),
		"pilots/i.s/adsz.json":  adsz(connected("c", "p.x", 1)),
		"kubernetes/pods.json":  podItems("alone.x"),
		"pilots/i.s/config_dump.p.x.json": `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump",` +
			`"dynamicActiveClusters":[{"cluster":{"name":"a"}}]},]}`,
	})))
	by, _ := proxies(t, m)
	for id, want := range map[string]string{
		"alone.x": "alone.x: desired: no Pilot knows this proxy",
		"z.x":     "z.x: desired: a ztunnel is sent workloads, not sections of an Envoy",
	} {
		if _, err := m.Desired(t.Context(), by[id]); err == nil || err.Error() != want {
			t.Errorf("%s: %v", id, err)
		}
	}
	d, err := m.Desired(t.Context(), by["p.x"])
	if err != nil {
		t.Fatal(err)
	}
	const want = "p.x: desired.routes: config_dump.p.x.json: "
	if _, err := look(t, d, "routes"); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v", err)
	}
	if _, err := m.Desired(t.Context(), mesh.NewObject("Proxy", nil, object.New(0))); err == nil {
		t.Error("a stranger has a Pilot")
	}
}

// TestLists checks that every Kubernetes list in the snapshot has the objects of
// its file, and that a list whose file is missing is reported as a fault.
func TestLists(t *testing.T) {
	s := source(t, capture)
	m := open(t, Options{}, s)
	paths, _ := filepath.Glob(capture + "/kubernetes/*.json")
	for _, path := range paths {
		field := ""
		for _, k := range Kinds()[0].Fields {
			plural, _, _ := strings.Cut(filepath.Base(path), ".")
			if strings.EqualFold(k.Name, plural) {
				field = k.Name
			}
		}
		want := object.FromPlain(parsed[struct{ Items []any }](t, path).Items).([]any)
		got := plain(t, at(t, m.Document(), field)).([]any)
		if d := cmp.Diff(byName(want), byName(got)); d != "" {
			t.Errorf("%s: %s", field, d)
		}
	}
	_, err := look(t, m.Document(), "httpRoutes")
	f, ok := err.(*mesh.Fault)
	if !ok || f.Error() != "kubernetes: httpRoutes: httproutes.gateway.networking.k8s.io: not in the snapshot" || f.Subject != "kubernetes" {
		t.Errorf("%v", err)
	}
	for _, line := range s.log() {
		if strings.HasPrefix(line, "proxy") || strings.HasPrefix(line, "pilot") || strings.HasSuffix(line, "again") {
			t.Errorf("asked %s", line)
		}
	}
}

func byName(all []any) *object.Object {
	out := object.New(0)
	for _, o := range all {
		meta := o.(*object.Object).Get("metadata").(*object.Object)
		out.Set(fmt.Sprint(meta.Get("namespace"), "/", meta.Get("name")), o)
	}
	return out
}

// TestListsOfContexts checks that Kubernetes lists of several contexts are
// concatenated. If one context lacks a list, that is reported as a fault, and the
// lists of the other contexts are still returned.
func TestListsOfContexts(t *testing.T) {
	snapshot := func(context, services string) *counted {
		all := map[string]string{
			"manifest.json":         `{"kind":"Snapshot","version":1,"takenAt":"2026-11-22T13:00:00Z","context":"` + context + `"}`,
			"kubernetes/nodes.json": `{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"` + context + `"}}]}`,
		}
		if services != "" {
			all["kubernetes/services.json"] = services
		}
		return source(t, files(t, all))
	}
	m := open(t, Options{}, snapshot("west", `{"items":[{"metadata":{"name":"s"}}]}`), snapshot("east", ""), snapshot("north", `{"items":[`))
	var names []string
	for _, n := range at(t, m.Document(), "nodes").([]any) {
		names = append(names, fmt.Sprint(at(t, n, "kind"), at(t, n, "metadata", "name")))
	}
	same(t, "nodes", names, []string{"Nodewest", "Nodeeast", "Nodenorth"})
	if n := at(t, m.Document(), "services").([]any); len(n) != 1 {
		t.Errorf("%v", n)
	}
	same(t, "faults", faults(m), []string{
		"kubernetes of east: services: services: not in the snapshot",
		"kubernetes of north: services: services.json: unexpected end of JSON at byte 10",
	})
	if n := len(m.LeftOut()); n != 2 {
		t.Errorf("%d left out", n)
	}
}

func TestPilotFaults(t *testing.T) {
	dir := copied(t)
	put(t, dir, "pilots/"+thePilot+"/configz.json", `[{"kind":`)
	put(t, dir, "pilots/"+thePilot+"/version.txt", "1.31.0-86c9f01fd73-Clean\n")
	if err := os.Remove(filepath.Join(dir, "pilots", thePilot, "endpointz.json")); err != nil {
		t.Fatal(err)
	}
	m := open(t, Options{}, source(t, dir))
	p := at(t, m.Document(), "pilots").([]any)[0]
	if got := at(t, p, "version"); got != "1.31.0" {
		t.Errorf("version %v", got)
	}
	for field, want := range map[string]string{
		"config":         thePilot + ": configz: configz.json: unexpected end of JSON at byte 9",
		"endpointShards": thePilot + ": endpointShardz: not in the snapshot",
	} {
		if _, err := look(t, p, field); err == nil || err.Error() != want {
			t.Errorf("%s: %v", field, err)
		}
	}
	if len(m.Faults()) != 2 {
		t.Errorf("%q", faults(m))
	}
}
