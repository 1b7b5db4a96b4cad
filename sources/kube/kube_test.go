package kube

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

const stale = "../testdata/stale/kubernetes/"

func document(body []byte) *decode.Document {
	return &decode.Document{Bytes: bytes.NewReader(body), Name: "body.json"}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plain decodes a body with encoding/json, for comparison.
func plain(t *testing.T, body []byte) any {
	t.Helper()
	var v any
	if err := object.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// written encodes a value of the document with encoding/json and decodes it
// again.
func written(t *testing.T, v any) any {
	t.Helper()
	v, err := mesh.Deep(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return plain(t, b)
}

func list(t *testing.T, field string) List {
	t.Helper()
	for _, l := range Lists() {
		if l.Field == field {
			return l
		}
	}
	t.Fatalf("no list %s", field)
	return List{}
}

// TestObjects checks that every recorded list, read completely, equals the
// content of its file.
func TestObjects(t *testing.T) {
	seen := 0
	for _, l := range Lists() {
		for _, name := range []string{l.Resource, l.Also} {
			body, err := os.ReadFile(stale + name + ".json")
			if err != nil {
				continue
			}
			seen++
			objects, err := Objects(t.Context(), l, document(body), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range objects {
				if o.(*mesh.Object).Kind != l.Kind {
					t.Errorf("%s: kind %s", l.Field, o.(*mesh.Object).Kind)
				}
			}
			want := plain(t, body).(*object.Object).Get("items").([]any)
			slices.SortStableFunc(want, func(a, b any) int {
				return strings.Compare(key(a.(*object.Object)), key(b.(*object.Object)))
			})
			if d := cmp.Diff(any(want), written(t, any(objects))); d != "" {
				t.Errorf("%s: %s", l.Field, d)
			}
		}
	}
	files, _ := filepath.Glob(stale + "*.json")
	if seen != len(files) {
		t.Errorf("%d lists of %d files", seen, len(files))
	}
}

// TestObjectsOfTheAPIServer reads lists as the API server sends them: only the
// list states the kind of its items.
func TestObjectsOfTheAPIServer(t *testing.T) {
	objects, err := Objects(t.Context(), list(t, "gateways"), document([]byte(`{"kind":"GatewayList","apiVersion":"networking.istio.io/v1",
		"items":[{"metadata":{"name":"b","namespace":"x"}},{"metadata":{"name":"a","namespace":"x"},"spec":{}}]}`)), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{
		object.Of("kind", "Gateway", "apiVersion", "networking.istio.io/v1", "metadata", object.Of("name", "a", "namespace", "x"), "spec", object.New(0)),
		object.Of("kind", "Gateway", "apiVersion", "networking.istio.io/v1", "metadata", object.Of("name", "b", "namespace", "x")),
	}
	if d := cmp.Diff(any(want), written(t, any(objects))); d != "" {
		t.Error(d)
	}
}

// TestObjectsOfMixedLists reads lists as kubectl prints them. They contain
// several kinds, and two API groups have a kind named Gateway.
func TestObjectsOfMixedLists(t *testing.T) {
	const body = `{"kind":"List","items":[
		{"kind":"Gateway","apiVersion":"gateway.networking.k8s.io/v1","metadata":{"name":"k"}},
		{"kind":"Gateway","apiVersion":"networking.istio.io/v1","metadata":{"name":"i"}},
		{"kind":"Service","apiVersion":"v1","metadata":{"name":"s"}},
		{"kind":"Service","apiVersion":"serving.knative.dev/v1","metadata":{"name":"n"}},
		{"kind":"Service","apiVersion":"v1","metadata":{"name":"s"}}]}`
	for field, want := range map[string][]string{"gateways": {"i"}, "kubeGateways": {"k"}, "services": {"s"}, "pods": nil} {
		objects, err := Objects(t.Context(), list(t, field), document([]byte(body)), nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, o := range objects {
			meta, _ := mesh.Get(t.Context(), o, "metadata")
			name, _ := mesh.Get(t.Context(), meta, "name")
			names = append(names, name.(string))
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: %q, want %q", field, names, want)
		}
	}
}

func TestFromYAML(t *testing.T) {
	pods, services := read(t, stale+"pods.json"), read(t, stale+"services.json")
	var text []byte
	for i, body := range [][]byte{pods, services, []byte(`{"kind":"Service","apiVersion":"v1","metadata":{"name":"--- a\n--- b"}}`)} {
		y, err := yaml.JSONToYAML(body)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, []byte([]string{"---\n", "--- \n", "# none\n---\r\n"}[i])...)
		text = append(text, y...)
	}
	got, err := FromYAML(t.Context(), bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	items := plain(t, got).(*object.Object).Get("items").([]any)
	want := slices.Concat(plain(t, pods).(*object.Object).Get("items").([]any), plain(t, services).(*object.Object).Get("items").([]any),
		[]any{object.Of("kind", "Service", "apiVersion", "v1", "metadata", object.Of("name", "--- a\n--- b"))})
	if d := cmp.Diff(want, items); d != "" {
		t.Error(d)
	}
	if _, err := FromYAML(t.Context(), bytes.NewReader([]byte("a: 1\n---\nb: [\n"))); err == nil || !strings.HasPrefix(err.Error(), "after line 3: ") {
		t.Errorf("%v", err)
	}
	if got, err := FromYAML(t.Context(), bytes.NewReader(nil)); err != nil || len(plain(t, got).(*object.Object).Get("items").([]any)) != 0 {
		t.Errorf("%s %v", got, err)
	}
}

func TestPodsOfTheCapture(t *testing.T) {
	body := read(t, stale+"pods.json")
	pods, err := Pods(t.Context(), document(body))
	if err != nil {
		t.Fatal(err)
	}
	items := plain(t, body).(*object.Object).Get("items").([]any)
	if len(pods) != len(items) {
		t.Fatalf("%d of %d", len(pods), len(items))
	}
	for i, item := range items {
		m := item.(*object.Object)
		meta, spec, status := m.Get("metadata").(*object.Object), m.Get("spec").(*object.Object), m.Get("status").(*object.Object)
		p := pods[i]
		if p.ID() != meta.Get("name").(string)+"."+meta.Get("namespace").(string) || p.Node != spec.Get("nodeName") || p.ServiceAccount != spec.Get("serviceAccountName") ||
			p.IP != status.Get("podIP") || !slices.Equal(p.IPs, []string{p.IP}) || !p.Ready || p.Over {
			t.Errorf("%+v", p)
		}
		if d := cmp.Diff(meta.Get("labels"), any(p.Labels)); d != "" {
			t.Error(d)
		}
		want := "sidecar"
		if strings.HasPrefix(p.Name, "istio-ingressgateway") {
			want = "router"
		} else if strings.HasPrefix(p.Name, "istiod") {
			want = ""
		}
		if p.Type != want {
			t.Errorf("%s: type %q", p.Name, p.Type)
		}
	}
}

func TestProxyType(t *testing.T) {
	for spec, want := range map[string]string{
		`"labels":{}|"containers":[{"name":"app"},{"name":"istio-proxy"}]`:                                                 "sidecar",
		`"labels":{}|"containers":[{"name":"app"}],"initContainers":[{"name":"istio-proxy","restartPolicy":"Always"}]`:     "sidecar",
		`"labels":{}|"containers":[{"name":"app"}],"initContainers":[{"name":"istio-proxy"}]`:                              "",
		`"labels":{}|"containers":[{"name":"app"}],"initContainers":[{"name":"istio-init","restartPolicy":"Always"}]`:      "",
		`"labels":{}|"containers":[{"name":"istio-proxy"}]`:                                                                "router",
		`"labels":{}|"containers":[{"name":"istio-proxy","args":["proxy","router","--domain","x"]},{"name":"other"}]`:      "router",
		`"labels":{}|"containers":[{"name":"istio-proxy","args":["proxy","waypoint"]}]`:                                    "waypoint",
		`"labels":{}|"containers":[{"name":"istio-proxy","args":["proxy","sidecar"]}]`:                                     "sidecar",
		`"labels":{}|"containers":[{"name":"istio-proxy","args":["proxy"]},{"name":"app"}]`:                                "sidecar",
		`"labels":{"gateway.istio.io/managed":"istio.io-mesh-controller"}|"containers":[{"name":"istio-proxy"}]`:           "waypoint",
		`"labels":{"gateway.networking.k8s.io/gateway-class-name":"istio-waypoint"}|"containers":[{"name":"istio-proxy"}]`: "waypoint",
		`"labels":{"gateway.networking.k8s.io/gateway-name":"x"}|"containers":[{"name":"istio-proxy"},{"name":"log"}]`:     "router",
		`"labels":{"gateway.networking.k8s.io/gateway-name":"x"}|"containers":[{"name":"envoy"}]`:                          "",
		`"labels":{"istio":"egressgateway"}|"containers":[{"name":"istio-proxy"},{"name":"log"}]`:                          "router",
		`"labels":{"istio":"pilot","app":"istiod"}|"containers":[{"name":"discovery"}]`:                                    "",
		`"labels":{"app":"ztunnel"}|"containers":[{"name":"istio-proxy","args":["proxy","ztunnel"]}]`:                      "ztunnel",
	} {
		meta, rest, _ := strings.Cut(spec, "|")
		pods, err := Pods(t.Context(), document([]byte(`{"items":[{"metadata":{`+meta+`},"spec":{`+rest+`}}]}`)))
		if err != nil {
			t.Fatal(err)
		}
		if pods[0].Type != want {
			t.Errorf("%s: %q, want %q", spec, pods[0].Type, want)
		}
	}
}

func TestWorkloadAndRevision(t *testing.T) {
	owner := func(kind, name string) string {
		return `"ownerReferences":[{"kind":"X","name":"no"},{"kind":"` + kind + `","name":"` + name + `","controller":true}]`
	}
	for meta, want := range map[string]string{
		`"labels":{"pod-template-hash":"7f99cc4496"},` + owner("ReplicaSet", "reviews-v1-7f99cc4496"): "reviews-v1 ",
		owner("ReplicaSet", "hand-made"):     "hand-made ",
		owner("StatefulSet", "db"):           "db ",
		owner("Job", "backup-28312345"):      "backup ",
		owner("Job", "once"):                 "once ",
		`"labels":{"istio.io/rev":"canary"}`: "p canary",
		`"annotations":{"sidecar.istio.io/status":"{\"initContainers\":null,\"revision\":\"1-31\"}"}`: "p 1-31",
		`"annotations":{"sidecar.istio.io/status":"{}"}`:                                              "p ",
	} {
		pods, err := Pods(t.Context(), document([]byte(`{"items":[{"metadata":{"name":"p",`+meta+`}}]}`)))
		if err != nil {
			t.Fatal(err)
		}
		if got := pods[0].Workload + " " + pods[0].Revision; got != want {
			t.Errorf("%s: %q, want %q", meta, got, want)
		}
	}
}

func TestEndedPods(t *testing.T) {
	pods, err := Pods(t.Context(), document([]byte(`{"items":[{"status":{"phase":"Succeeded"}},{"status":{"phase":"Failed"}},
		{"status":{"phase":"Pending","conditions":[{"type":"Ready","status":"False"}]}},{"status":{"podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}]}}]}`)))
	if err != nil {
		t.Fatal(err)
	}
	if !pods[0].Over || !pods[1].Over || pods[2].Over || pods[2].Ready || !slices.Equal(pods[3].IPs, []string{"10.0.0.1", "fd00::1"}) {
		t.Errorf("%+v", pods)
	}
}

func TestBrokenLists(t *testing.T) {
	body := read(t, stale+"pods.json")
	if _, err := Pods(t.Context(), document(body[:1000])); err == nil || err.Error() != "unexpected end of JSON at byte 1000" {
		t.Errorf("%v", err)
	}
	for _, odd := range []string{`[]`, `null`, `{"items":null}`, `{"items":[1,null,"x"]}`, `{"items":{"a":{}}}`} {
		if pods, err := Pods(t.Context(), document([]byte(odd))); err != nil || len(pods) != 0 {
			t.Errorf("%s: %v %v", odd, pods, err)
		}
		if objects, err := Objects(t.Context(), list(t, "services"), document([]byte(odd)), nil); err != nil || len(objects) != 0 {
			t.Errorf("%s: %v %v", odd, objects, err)
		}
	}
}
