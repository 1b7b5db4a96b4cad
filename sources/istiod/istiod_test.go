package istiod

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

const stale = "../testdata/stale/pilots/istiod-78566f45b4-v5qhf.istio-system"

func document(t *testing.T, body []byte) *decode.Document {
	t.Helper()
	return &decode.Document{Bytes: bytes.NewReader(body), Name: "body.json"}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plain decodes a body with encoding/json, for comparison.
func plain[T any](t *testing.T, body []byte) T {
	t.Helper()
	var v T
	if err := object.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

type rawSync struct {
	Proxy     string `json:"proxy"`
	ClusterID string `json:"cluster_id"`
	Type      string `json:"proxy_type"`
	Version   string `json:"istio_version"`
	Resources map[string]struct {
		Sent, Acked, SentTime, LastError string
	} `json:"resources"`
}

func TestSyncz(t *testing.T) {
	body := read(t, stale+"/syncz.json")
	got, err := ReadSyncz(t.Context(), document(t, body))
	if err != nil {
		t.Fatal(err)
	}
	want := plain[[]rawSync](t, body)
	if len(got) != len(want) {
		t.Fatalf("%d of %d", len(got), len(want))
	}
	now := time.Date(2026, 11, 22, 13, 2, 45, 0, time.UTC)
	for i, w := range want {
		g := got[i]
		if g.ID != w.Proxy || g.ClusterID != w.ClusterID || g.Type != w.Type || g.Version != w.Version {
			t.Errorf("%+v is not %+v", g, w)
		}
		sync := g.Sync(now)
		if sync.Len() != len(mesh.SyncTypes()) {
			t.Errorf("%s: %d types", g.ID, sync.Len())
		}
		for _, ty := range mesh.SyncTypes() {
			word, o := mesh.Ignored, sync.Get(ty.Key).(*object.Object)
			if r, ok := w.Resources[ty.URLs[0]]; ok {
				word = map[bool]string{true: "SYNCED", false: "STALE"}[r.Acked == r.Sent]
				if r.Sent == "" {
					word = "NOT SENT"
				}
				if r.LastError != "" {
					word = "ERROR"
				}
				if o.Get("error") != nil != (r.LastError != "") || r.LastError != "" && o.Get("error") != r.LastError {
					t.Errorf("%s %s: error %v, want %q", g.ID, ty.Key, o.Get("error"), r.LastError)
				}
				sentAt, _ := time.Parse(time.RFC3339, r.SentTime)
				if sentAt.Year() > 1 {
					if want := sentAt.UTC().Format("2006-01-02T15:04:05Z"); o.Get("sentAt") != want {
						t.Errorf("%s %s: sentAt %v, want %s", g.ID, ty.Key, o.Get("sentAt"), want)
					}
					if want := int(now.Unix() - sentAt.Unix()); o.Get("age") != want {
						t.Errorf("%s %s: age %v, want %d", g.ID, ty.Key, o.Get("age"), want)
					}
				}
			}
			if g.Word(ty.Key) != word || o.Get("status") != word {
				t.Errorf("%s %s: %s, status %v, want %s", g.ID, ty.Key, g.Word(ty.Key), o.Get("status"), word)
			}
		}
	}
}

func TestPushesBehindOfTheCapture(t *testing.T) {
	all, err := ReadSyncz(t.Context(), document(t, read(t, stale+"/syncz.json")))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		sync := s.Sync(time.Now())
		rds := sync.Get("rds").(*object.Object)
		var want any = 0
		if strings.HasPrefix(s.ID, "reviews-v2") {
			want = 1
			if rds.Get("sent") == rds.Get("acked") {
				t.Errorf("%v", rds)
			}
		}
		if rds.Get("pushesBehind") != want {
			t.Errorf("%s: pushesBehind %v", s.ID, rds.Get("pushesBehind"))
		}
		if sent, _ := rds.Get("sent").(string); !regexp.MustCompile(`^2026-11-22T\d\d:\d\d:\d\dZ/\d+$`).MatchString(sent) {
			t.Errorf("%s: sent %q", s.ID, sent)
		}
	}
}

func TestPushesBehind(t *testing.T) {
	const a, b = "ad1a24d4-b544-4ed4-88d6-eb0c87a6c986", "0c87a6c9-b544-4ed4-88d6-ebad1a24d486"
	v := func(n int) string { return "2026-11-22T12:56:36Z/" + strconv.Itoa(n) }
	for _, c := range []struct {
		sent, acked string
		want        int
		ok          bool
		version     string
	}{
		{v(13) + a, v(4) + b, 9, true, v(13)},
		{v(13) + a, v(13) + a, 0, true, v(13)},
		{v(13) + a, v(13) + b, 0, true, v(13)}, // the state is STALE although the push is the same, because it was sent twice
		{v(13) + a, "", 0, false, v(13)},       // the push was never acknowledged
		{"", "", 0, false, ""},                 // nothing was ever sent
		// istiod was restarted between the two pushes, and its counter started
		// again
		{v(2) + a, v(700) + b, -698, false, v(2)},
		{a, b, 0, false, a}, // the nonces of old istiods don't contain a version
		{a, a, 0, true, a},
		{"x", v(1) + a, -1, false, "x"},
		{v(-1) + a, v(-3) + a, 2, false, v(-1)}, // a negative number isn't a valid counter
		{"no counter/" + a, "no counter/" + b, 0, false, "no counter/"},
	} {
		ts := TypeStatus{Sent: c.sent, Acked: c.acked}
		n, ok := ts.PushesBehind()
		if ok != c.ok || ok && n != c.want {
			t.Errorf("%q %q: %d %v", c.sent, c.acked, n, ok)
		}
		if got := pushVersion(c.sent); got != c.version {
			t.Errorf("%q: version %q", c.sent, got)
		}
	}
}

// TestSynczWithoutResources checks that the syncz of istiod before 1.23 yields
// the same statuses as a newer one. The old one has pairs of sent and
// acknowledged nonces (cluster_sent, cluster_acked) instead of "resources".
func TestSynczWithoutResources(t *testing.T) {
	body := read(t, stale+"/syncz.json")
	now, err := ReadSyncz(t.Context(), document(t, body))
	if err != nil {
		t.Fatal(err)
	}
	objects := plain[[]*object.Object](t, body)
	for _, o := range objects {
		o.Delete("resources")
	}
	objects = append(objects, object.Of("proxy", "ztunnel-x.istio-system", "proxy_type", "ztunnel"))
	stripped, _ := json.Marshal(objects)
	old, err := ReadSyncz(t.Context(), document(t, stripped))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range now {
		for _, key := range []string{"cds", "lds", "eds", "rds"} {
			want := s.Word(key)
			if want == mesh.InError { // old istiods don't report errors
				want = mesh.Stale
			}
			if got := old[i].Word(key); got != want {
				t.Errorf("%s %s: %s, want %s", s.ID, key, got, want)
			}
		}
		if got := old[i].Word("ecds"); got != mesh.NotSent {
			t.Errorf("%s ecds: %s", s.ID, got)
		}
		if got := old[i].Word("sds"); got != mesh.Ignored {
			t.Errorf("%s sds: %s", s.ID, got)
		}
		o := old[i].Sync(time.Now()).Get("cds").(*object.Object)
		if o.Get("sent") == nil || o.Get("sentAt") != nil || o.Get("age") != nil {
			t.Errorf("%s: %v", s.ID, o)
		}
	}
	for _, ty := range mesh.SyncTypes() {
		if got := old[len(old)-1].Word(ty.Key); got != mesh.Ignored {
			t.Errorf("ztunnel %s: %s", ty.Key, got)
		}
	}
}

func TestSynczWithUnusualBodies(t *testing.T) {
	const n = "2026-11-22T12:56:36Z/4ad1a24d4-b544-4ed4-88d6-eb0c87a6c986"
	all, err := ReadSyncz(t.Context(), document(t, []byte(`[
		{"proxy":"a.b","resources":{
			"type.googleapis.com/istio.workload.Address":{"sent":"`+n+`","acked":"`+n+`"},
			"type.googleapis.com/istio.workload.Workload":{"sent":"`+n+`"},
			"type.googleapis.com/z.New":{"sent":"`+n+`","acked":"`+n+`"},
			"type.googleapis.com/a.New":{}}},
		{"proxy":"c.d","proxy_type":"sidecar"},
		7, null]`)))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, ty := range all[0].Types {
		keys = append(keys, ty.Key+" "+ty.Word())
	}
	want := []string{"wds STALE", "type.googleapis.com/a.New NOT SENT", "type.googleapis.com/z.New SYNCED"}
	if !slices.Equal(keys, want) {
		t.Errorf("got %q", keys)
	}
	if all[0].Sync(time.Now()).Len() != 13 {
		t.Error("a type without a field is not under sync")
	}
	if got := all[1].Word("cds"); len(all) != 2 || got != mesh.Ignored {
		t.Errorf("no resources from an istiod that has them: %s", got)
	}
	var none *Status
	for key, o := range none.Sync(time.Now()).All() {
		if o.(*object.Object).Get("status") != mesh.Unknown || none.Word(key) != mesh.Unknown {
			t.Errorf("%s: %v", key, o)
		}
	}
}

func TestAdsz(t *testing.T) {
	body := read(t, stale+"/adsz.json")
	got, err := ReadClients(t.Context(), document(t, body))
	if err != nil {
		t.Fatal(err)
	}
	type raw struct {
		Clients []struct {
			ConnectionID string         `json:"connectionId"`
			ConnectedAt  time.Time      `json:"connectedAt"`
			Labels       *object.Object `json:"labels"`
			Locality     *object.Object `json:"locality"`
			Metadata     *object.Object `json:"metadata"`
		} `json:"clients"`
	}
	want := plain[raw](t, body).Clients
	if len(got) != len(want) {
		t.Fatalf("%d of %d", len(got), len(want))
	}
	for i, w := range want {
		c := Client{
			ID: w.ConnectionID[:strings.LastIndex(w.ConnectionID, "-")], Connection: w.ConnectionID, ConnectedAt: w.ConnectedAt, Labels: w.Labels, Locality: w.Locality,
			ClusterID: w.Metadata.Get("CLUSTER_ID").(string), Version: w.Metadata.Get("ISTIO_VERSION").(string),
			Workload: w.Metadata.Get("WORKLOAD_NAME").(string), ServiceAccount: w.Metadata.Get("SERVICE_ACCOUNT").(string),
			IPs: []string{w.Metadata.Get("INSTANCE_IPS").(string)}, ProxyConfig: true,
		}
		if d := cmp.Diff(c, got[i]); d != "" {
			t.Error(d)
		}
	}
}

func TestIsProxy(t *testing.T) {
	tool := &Client{ID: "test-1.default", Version: "65536.65536.65536"}
	for name, c := range map[string]struct {
		c    *Client
		s    *Status
		want bool
	}{
		"proxy":                 {&Client{ProxyConfig: true}, &Status{Type: "sidecar"}, true},
		"istioctl":              {tool, &Status{Type: "sidecar"}, false},
		"a tool with a version": {&Client{}, &Status{Type: "sidecar", Version: "1.31.0"}, false},
		"ztunnel":               {&Client{}, &Status{Type: "ztunnel"}, true},
		"syncz only":            {nil, &Status{Type: "sidecar", Version: "1.31.0"}, true},
		"syncz only, istioctl":  {nil, &Status{Type: "sidecar", Version: "65536.65536.65536"}, false},
		"adsz only":             {&Client{ProxyConfig: true}, nil, true},
		"nothing":               {nil, nil, false},
	} {
		if got := IsProxy(c.c, c.s); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestVersion(t *testing.T) {
	for body, want := range map[string]string{
		"unknown-unknown-unknown":             "",
		"1.31.0-86c9f01fd73-Clean\n":          "1.31.0",
		"1.31.0-alpha.0-86c9f01fd73-Modified": "1.31.0-alpha.0",
		"1.20.0-distroless-86c9f01fd73-Clean": "1.20.0-distroless",
		"1.5.1":                               "1.5.1",
		"":                                    "",
	} {
		if got := Version(body); got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}

// TestRead checks that every lazy field of a Pilot contains the unchanged body
// of its endpoint.
func TestRead(t *testing.T) {
	if got := Fields(); !slices.Equal(got, []string{"config", "registryServices", "pushStatus", "meshConfig", "remoteClusters", "endpointShards"}) {
		t.Fatal(got)
	}
	for _, field := range Fields() {
		names := Endpoints(field)
		body := read(t, filepath.Join(stale, names[len(names)-1]+".json"))
		v, err := Read(t.Context(), field, document(t, body), nil)
		if err != nil {
			t.Fatal(err)
		}
		if v, err = mesh.Deep(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(plain[any](t, body), plain[any](t, got)); d != "" {
			t.Errorf("%s: %s", field, d)
		}
	}
}

func TestReadConfig(t *testing.T) {
	v, err := Read(t.Context(), "config", document(t, read(t, stale+"/configz.json")), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range v.([]any) {
		o, ok := item.(*mesh.Object)
		if !ok {
			t.Fatalf("%T", item)
		}
		if kind, _ := mesh.Get(t.Context(), o, "kind"); kind != o.Kind {
			t.Errorf("%v is not %s", kind, o.Kind)
		}
	}
	if v, err := Read(t.Context(), "config", document(t, []byte("null")), nil); err != nil || fmt.Sprint(v) != "[]" {
		t.Errorf("%v %v", v, err)
	}
}

func TestBrokenBodies(t *testing.T) {
	body := read(t, stale+"/syncz.json")
	if _, err := ReadSyncz(t.Context(), document(t, body[:812])); err == nil || err.Error() != "unexpected end of JSON at byte 812" {
		t.Errorf("%v", err)
	}
	if _, err := ReadClients(t.Context(), document(t, []byte(`{"clients":[{]`))); err == nil {
		t.Error("no error")
	}
	if all, err := ReadClients(t.Context(), document(t, []byte(`[]`))); err != nil || all != nil {
		t.Errorf("%v %v", all, err)
	}
}

// TestAsIstioctlPrints checks that the states and ages are the same as those
// that istioctl printed when these captures were taken.
func TestAsIstioctlPrints(t *testing.T) {
	for _, capture := range []string{"stale", "bookinfo"} {
		printed, err := os.ReadFile("../../../shared/istioctl/" + capture + "/ps-v1.txt")
		if err != nil {
			t.Skip("the captures are not here")
		}
		paths, _ := filepath.Glob("../../../shared/captures/" + capture + "/pilots/*/syncz.json")
		all, err := ReadSyncz(t.Context(), document(t, read(t, paths[0])))
		if err != nil {
			t.Fatal(err)
		}
		manifest := plain[struct{ TakenAt time.Time }](t, read(t, "../../../shared/captures/"+capture+"/manifest.json"))
		lines := strings.Split(strings.TrimSpace(string(printed)), "\n")
		columns := regexp.MustCompile(` {3,}`)
		head := columns.Split(strings.TrimSpace(lines[0]), -1)
		if len(all) != len(lines)-1 {
			t.Fatalf("%d proxies, %d lines", len(all), len(lines)-1)
		}
		for _, line := range lines[1:] {
			cells := columns.Split(strings.TrimSpace(line), -1)
			i := slices.IndexFunc(all, func(s Status) bool { return s.ID == cells[0] })
			sync := all[i].Sync(manifest.TakenAt)
			for c, name := range head {
				o, ok := sync.Get(strings.ToLower(name)).(*object.Object)
				if !ok {
					continue
				}
				word, age, aged := strings.Cut(strings.TrimSuffix(cells[c], ")"), " (")
				if o.Get("status") != word {
					t.Errorf("%s %s: %v, istioctl says %s", cells[0], name, o.Get("status"), cells[c])
				}
				d, err := time.ParseDuration(age)
				if aged && (err != nil || d.Seconds()-float64(o.Get("age").(int)) > 10 || float64(o.Get("age").(int))-d.Seconds() > 10) {
					t.Errorf("%s %s: age %v, istioctl says %s", cells[0], name, o.Get("age"), cells[c])
				}
			}
		}
	}
}
