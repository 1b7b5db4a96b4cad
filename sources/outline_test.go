package sources

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

type podList struct {
	Items []struct{ Metadata, Spec, Status *object.Object }
}

type rawTypes map[string]struct{ Sent, Acked, SentTime, LastError string }

// TestProxiesOfTheCapture compares every field of every proxy's inventory with a
// value that the test itself computes from the snapshot's files.
func TestProxiesOfTheCapture(t *testing.T) {
	m := open(t, Options{}, source(t, capture))
	got, order := proxies(t, m)
	dir := filepath.Join(capture, "pilots", thePilot)
	status := parsed[[]struct {
		ClusterID string `json:"cluster_id"`
		Proxy     string
		Type      string `json:"proxy_type"`
		Version   string `json:"istio_version"`
		Resources rawTypes
	}](t, filepath.Join(dir, "syncz.json"))
	clients := parsed[struct {
		Clients []struct {
			ConnectionID string `json:"connectionId"`
			ConnectedAt  time.Time
			Metadata     *object.Object
			Locality     any
		}
	}](t, filepath.Join(dir, "adsz.json")).Clients
	pods := parsed[podList](t, filepath.Join(capture, "kubernetes/pods.json")).Items

	var ids []string
	for _, s := range status {
		ids = append(ids, s.Proxy)
	}
	slices.Sort(ids)
	same(t, "order", order, ids)
	for _, s := range status {
		name, namespace, _ := strings.Cut(s.Proxy, ".")
		want := object.Of(
			"kind", "Proxy", "id", s.Proxy, "name", name, "namespace", namespace, "type", s.Type, "clusterID", s.ClusterID,
			"context", "bookinfo", "pilot", "istiod-78566f45b4-v5qhf", "pilots", []any{"istiod-78566f45b4-v5qhf"}, "revision", nil, "version", s.Version, "connected", true,
		)
		for _, p := range pods {
			if p.Metadata.Get("name") != name {
				continue
			}
			want.Set("node", p.Spec.Get("nodeName"))
			want.Set("labels", p.Metadata.Get("labels"))
			want.Set("annotations", p.Metadata.Get("annotations"))
			if want.Get("annotations") == nil {
				want.Set("annotations", object.New(0))
			}
			want.Set("ip", p.Status.Get("podIP"))
			want.Set("ips", []any{p.Status.Get("podIP")})
			want.Set("serviceAccount", p.Spec.Get("serviceAccountName"))
			want.Set("ready", true)
		}
		for _, c := range clients {
			if strings.HasPrefix(c.ConnectionID, s.Proxy) {
				want.Set("workload", c.Metadata.Get("WORKLOAD_NAME"))
				want.Set("locality", c.Locality)
				want.Set("connectedAt", c.ConnectedAt.UTC().Format("2006-01-02T15:04:05Z"))
			}
		}
		for _, ty := range mesh.SyncTypes() {
			want.Set(ty.Key, word(s.Resources, ty.URLs[0]))
		}
		f, err := got[s.Proxy].Fields(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		outline := object.New(0)
		for k, v := range f.All() {
			if _, lazy := v.(mesh.Sectional); !lazy && k != "sync" {
				outline.Set(k, v)
			}
		}
		if d := cmp.Diff(any(want), plain(t, outline)); d != "" {
			t.Errorf("%s: %s", s.Proxy, d)
		}
	}
	same(t, "faults", faults(m), nil)
}

// word returns the sync state of a resource type. It implements the rule again,
// independently of the code under test.
func word(all rawTypes, url string) string {
	r, ok := all[url]
	switch {
	case !ok:
		return "IGNORED"
	case r.LastError != "":
		return "ERROR"
	case r.Sent == "":
		return "NOT SENT"
	case r.Sent == r.Acked:
		return "SYNCED"
	}
	return "STALE"
}

func TestSyncOfTheCapture(t *testing.T) {
	m := open(t, Options{}, source(t, capture))
	by, _ := proxies(t, m)
	if got := at(t, by[reviewsV2], "sync", "rds", "pushesBehind"); got != 1 {
		t.Errorf("pushesBehind %v", got)
	}
	if got, _ := at(t, by[ratingsV1], "sync", "lds", "error").(string); !strings.Contains(got, "bogus.filter") {
		t.Errorf("error %q", got)
	}
	want := object.Of("status", "NOT SENT", "sent", nil, "acked", nil, "sentAt", nil, "age", nil, "pushesBehind", nil, "error", nil)
	if d := cmp.Diff(any(want), plain(t, at(t, by[gateway], "sync", "sds"))); d != "" {
		t.Error(d)
	}
	at := at(t, by[reviewsV2], "sync", "cds").(*object.Object)
	if age := int(m.Now().Sub(instantOf(t, at.Get("sentAt").(string))).Seconds()); at.Get("age") != age {
		t.Errorf("age %v, want %d", at.Get("age"), age)
	}
}

// TestOutlineCosts checks which requests the inventory sends. Reading the names of
// fields sends none. Reading the values sends one for each istiod endpoint and one
// for the pods.
func TestOutlineCosts(t *testing.T) {
	s := source(t, capture)
	m := open(t, Options{}, s)
	f, err := m.Document().Fields(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range Kinds() {
		if k.Name == "Mesh" {
			for _, f := range k.Fields {
				names = append(names, f.Name)
			}
		}
	}
	slices.Sort(names)
	same(t, "keys of the mesh", f.Sorted(), names)
	same(t, "asked for keys", s.log(), nil)
	if p := f.Get("proxies").(mesh.Lazy); !p.Pending() {
		t.Error("proxies are not pending")
	}
	by, order := proxies(t, m)
	if p := f.Get("proxies").(mesh.Lazy); p.Pending() || len(order) != 7 {
		t.Errorf("%d proxies; pending %v", len(order), p.Pending())
	}
	for _, id := range order {
		for _, key := range []string{"name", "cds", "labels", "sync", "ready"} {
			at(t, by[id], key)
		}
		fields, err := by[id].Fields(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range fields.All() {
			if l, ok := v.(mesh.Lazy); ok && k != "sync" && !l.Pending() {
				t.Errorf("%s.%s is not pending", id, k)
			}
		}
	}
	at(t, m.Document(), "faults")
	for _, p := range at(t, m.Document(), "pilots").([]any) {
		at(t, p, "connectedProxies")
	}
	same(t, "asked for the outline", s.log(), []string{"list pods", "pilot adsz", "pilot syncz"})
	if got := m.Sections(); got != nil {
		t.Errorf("loaded %v", got)
	}
}

// TestKeysByType checks that the fields of a proxy depend only on its type, and not
// on which of its data is available.
func TestKeysByType(t *testing.T) {
	m := open(t, Options{}, source(t, files(t, map[string]string{
		"kubernetes/pods.json":     `{"items":[{"metadata":{"name":"ztunnel-x","namespace":"istio-system","labels":{"app":"ztunnel"}},"spec":{}},{"metadata":{"name":"a","namespace":"b"},"spec":{"containers":[{"name":"app"},{"name":"istio-proxy"}]}}]}`,
		"pilots/i.j/syncz.json":    `[]`,
		"pilots/i.j/adsz.json":     `{"clients":[]}`,
		"proxies/lost.x/ready.txt": `LIVE`,
	})))
	by, order := proxies(t, m)
	same(t, "proxies", order, []string{"a.b", "lost.x", "ztunnel-x.istio-system"})
	common := []string{}
	for _, f := range FieldsOf("Proxy") {
		if f.Cost == mesh.InOutline {
			common = append(common, f.Name)
		}
	}
	for id, kind := range map[string]string{"a.b": "sidecar", "lost.x": "", "ztunnel-x.istio-system": "ztunnel"} {
		want := slices.Clone(common)
		for _, s := range mesh.RecordedSectionsOf(kind) {
			want = append(want, string(s.Name))
		}
		if kind != mesh.ZTunnel {
			want = append(want, "nodeID")
		}
		slices.Sort(want)
		f, err := by[id].Fields(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, id, f.Sorted(), want)
		if f.Get("connected") != false || f.Get("cds") != "UNKNOWN" {
			t.Errorf("%s: connected %v, cds %v", id, f.Get("connected"), f.Get("cds"))
		}
	}
}

func TestPilots(t *testing.T) {
	s := source(t, capture)
	m := open(t, Options{}, s)
	pilots := at(t, m.Document(), "pilots").([]any)
	want := object.Of(
		"kind", "Pilot", "name", "istiod-78566f45b4-v5qhf", "namespace", "istio-system", "revision", "default", "version", nil,
		"ip", nil, "clusterID", "Kubernetes", "context", "bookinfo", "connectedProxies", 7.,
	)
	for _, p := range parsed[podList](t, capture+"/kubernetes/pods.json").Items {
		if p.Metadata.Get("name") == want.Get("name") {
			want.Set("ip", p.Status.Get("podIP"))
		}
	}
	f, err := pilots[0].(*mesh.Object).Fields(t.Context())
	if err != nil || len(pilots) != 1 {
		t.Fatal(err, len(pilots))
	}
	for file, field := range map[string]string{
		"configz": "config", "registryz": "registryServices", "push_status": "pushStatus", "mesh": "meshConfig", "clusterz": "remoteClusters", "endpointz": "endpointShards",
	} {
		if l := f.Get(field).(mesh.Lazy); !l.Pending() {
			t.Errorf("%s is not pending", field)
		}
		said := parsed[any](t, filepath.Join(capture, "pilots", thePilot, file+".json"))
		if field == "config" {
			for _, o := range said.([]any) {
				meta := o.(*object.Object).Get("metadata").(*object.Object)
				if notes, ok := meta.Get("annotations").(*object.Object); ok && notes.Get(kube.LastApplied) != nil {
					notes.Set(kube.LastApplied, mesh.Redacted)
				}
			}
		}
		if d := cmp.Diff(said, plain(t, f.Get(field))); d != "" {
			t.Errorf("%s: %s", field, d)
		}
		f = f.Clone()
		f.Delete(field)
	}
	if d := cmp.Diff(any(want), plain(t, f)); d != "" {
		t.Error(d)
	}
	same(t, "faults", faults(m), nil)
}

// TestAsProxyStatusPrints compares the proxies and their sync states with the output
// of istioctl proxy-status for the same meshes.
func TestAsProxyStatusPrints(t *testing.T) {
	for _, name := range []string{"stale", "bookinfo"} {
		printed, err := os.ReadFile("../../shared/istioctl/" + name + "/ps-v1.txt")
		if err != nil {
			t.Skip("the captures are not here")
		}
		m := open(t, Options{}, source(t, "../../shared/captures/"+name))
		by, order := proxies(t, m)
		lines := strings.Split(strings.TrimSpace(string(printed)), "\n")
		columns := regexp.MustCompile(` {3,}`)
		head := columns.Split(strings.TrimSpace(lines[0]), -1)
		var ids []string
		for _, line := range lines[1:] {
			cells := columns.Split(strings.TrimSpace(line), -1)
			ids = append(ids, cells[0])
			for i, h := range head {
				field := map[string]string{"NAME": "id", "CLUSTER": "clusterID", "ISTIOD": "pilot", "VERSION": "version"}[h]
				if field == "" {
					field = strings.ToLower(h)
				}
				cell, _, _ := strings.Cut(cells[i], " (")
				if got := at(t, by[cells[0]], field); got != cell {
					t.Errorf("%s %s: %v, istioctl says %s", cells[0], field, got, cell)
				}
			}
		}
		same(t, name, order, ids)
	}
}
