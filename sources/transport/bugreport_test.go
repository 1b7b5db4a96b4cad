package transport

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// resources is the output of `kubectl get all,… -A -o yaml`, in kubectl's style.
// It also contains some variants of the style that other YAML writers use.
const resources = `apiVersion: v1
items:
- apiVersion: v1
  kind: Pod
  metadata:
    annotations:
      kind: Service
      name: not-this
      text: |
        apiVersion: v1
        kind: Service
        - apiVersion: v1
      json: '{"apiVersion":"v1","kind":"Service"}'

    labels: {name: nor-this}
    name: web-1
    namespace: default
    ownerReferences:
    - apiVersion: apps/v1
      kind: ReplicaSet
      name: web
  spec:
    # kind: Service
    args:
    - "- apiVersion: v1"
- apiVersion: v1
  kind: Service
  metadata:
    name: "web"
    namespace: default
- apiVersion: discovery.k8s.io/v1
  kind: EndpointSlice
  metadata:
    name: web-x
    namespace: default
kind: List
metadata:
  resourceVersion: ""
---
apiVersion: v1
items:
  - apiVersion: v1
    kind: Pod
    metadata:
      name: gw-1
      namespace: istio-system
    spec:
      name: web-1
  - apiVersion: v1
    kind: Pod
    metadata:
      namespace: istio-system
      name: web-1
kind: List
--- # a document of its own
# with a comment
apiVersion: v1
kind: Pod
metadata:
  name: alone
  namespace: default
spec:
  items:
  - apiVersion: v1
    kind: Pod
...
---
kind: Pod
metadata: {name: flow, namespace: default}
apiVersion: v1`

const customResources = `apiVersion: v1
items:
- apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata:
    name: reviews
    namespace: default
  spec: {hosts: [reviews]}
- apiVersion: gateway.networking.k8s.io/v1
  kind: Gateway
  metadata: {name: api, namespace: default}
- apiVersion: networking.istio.io/v1
  kind: Gateway
  metadata:
    name: ingress
    namespace: default
kind: List
`

func smallReport() map[string]string {
	return map[string]string{
		"istio/istio-system/istiod-1/debug/syncz":                      "[1]",
		"istio/istio-system/istiod-1/debug/config_dump?proxyID=" + web: `{"configs":[]}`,
		"istio/istio-system/istiod-1/metrics":                          "a 1\n",
		"istio/istio-system/istiod-1/discovery.log":                    "…\n",
		"proxies/default/web-1/config_dump?include_eds":                `{"configs":[2]}`,
		"proxies/default/web-1/clusters":                               "a::b::c\n",
		"proxies/default/web-1/listeners":                              "a::1.2.3.4:80\n",
		"proxies/default/web-1/certs":                                  `{"certificates":[]}`,
		"proxies/default/web-1/server_info":                            `{"version":"x"}`,
		"proxies/default/web-1/memory":                                 `{}`,
		"proxies/default/web-1/stats/prometheus":                       "a 1\n",
		"proxies/istio-system/gw.1/config_dump":                        `{"configs":[3]}`,
		"cluster/k8s-resources":                                        resources,
		"cluster/crs":                                                  customResources,
		"cluster/pods":                                                 "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: gw-1\n    namespace: istio-system\n  later: true\nkind: List\n",
		"cluster/nodes":                                                "Name:               node-0\nRoles:              <none>\n",
		"cluster/cluster-context":                                      "prod\nhttps://1.2.3.4:6443\n",
		"bug-report.log":                                               "",
		"versions":                                                     "",
	}
}

func TestBugReport(t *testing.T) {
	files := smallReport()
	top := map[string]string{}
	for name, body := range files {
		top["bug-report/"+name] = body
	}
	folder, err := Open(t.Context(), asFolder(t, top), OpenOptions{})
	must(t, err)
	defer folder.Close()
	for form, s := range map[string]Source{
		"gzip": openAll(t, asGzip(t, asTar(t, "bug-report/", files)), OpenOptions{}),
		"tar":  openAll(t, asTar(t, "./bug-report/", files), OpenOptions{}),
		"ours": openAll(t, asOurs(t, top), OpenOptions{}), "folder": folder,
	} {
		t.Run(form, func(t *testing.T) { checkReport(t, s) })
	}
}

func checkReport(t *testing.T, s Source) {
	ctx, files := t.Context(), smallReport()
	want := Manifest{Kind: "BugReport", TakenAt: taken, Context: "prod", IstioNamespace: "istio-system"}
	if d := cmp.Diff(want, s.Manifest()); d != "" || faults(s) != "" {
		t.Error(d, faults(s))
	}
	pilots, err := s.Pilots(ctx)
	must(t, err)
	proxies, err := s.Proxies(ctx)
	must(t, err)
	if d := cmp.Diff([][]string{{pilot}, {"gw.1.istio-system", web}}, [][]string{pilots, proxies}); d != "" {
		t.Error(d)
	}
	for request, c := range map[string]struct {
		file string
		form Form
	}{
		"config_dump": {"config_dump?include_eds", JSON}, "clusters": {"clusters", Text}, "listeners": {"listeners", Text},
		"certs": {"certs", JSON}, "server_info": {"server_info", JSON}, "memory": {"memory", JSON},
		"stats/prometheus": {"stats/prometheus", Text},
	} {
		b, err := s.Fetch(ctx, web, request, mesh.Hint{})
		if got := text(t, b, err); got != files["proxies/default/web-1/"+c.file] || b.Form != c.form || b.Name != c.file {
			t.Errorf("%s: %q %v %s", request, got, b.Form, b.Name)
		}
	}
	b, err := s.Fetch(ctx, "gw.1.istio-system", "config_dump", mesh.Hint{})
	if got := text(t, b, err); got != `{"configs":[3]}` {
		t.Error(got)
	}
	for endpoint, file := range map[string]string{"syncz": "debug/syncz", "config_dump?proxyID=" + web: "debug/config_dump?proxyID=" + web, "metrics": "metrics"} {
		b, err := s.Pilot(ctx, pilot, endpoint)
		if got := text(t, b, err); got != files["istio/istio-system/istiod-1/"+file] {
			t.Errorf("%s: %s", endpoint, got)
		}
	}
	for _, q := range [][2]string{{web, "stats"}, {web, "logging"}, {web, ""}, {"web-1", "certs"}, {"web-1.", "certs"}, {".default", "certs"}, {"../web-1.default", "certs"}, {"a/b.default", "certs"}} {
		b, err := s.Fetch(ctx, q[0], q[1], mesh.Hint{})
		wantMissing(t, b, err)
	}
	for _, q := range [][2]string{{pilot, "adsz"}, {pilot, "version"}, {pilot, "../metrics"}, {"x", "syncz"}, {pilot, "edsz?proxyID=a/b"}} {
		b, err := s.Pilot(ctx, q[0], q[1])
		wantMissing(t, b, err)
	}
	for resource, want := range map[string]string{
		"pods":                                 "default/web-1 istio-system/gw-1 istio-system/web-1 default/alone default/flow",
		"services":                             "default/web",
		"endpointslices.discovery.k8s.io":      "default/web-x",
		"virtualservices.networking.istio.io":  "default/reviews",
		"gateways.networking.istio.io":         "default/ingress",
		"gateways.gateway.networking.k8s.io":   "default/api",
		"telemetries.telemetry.istio.io":       "",
		"httproutes.gateway.networking.k8s.io": "",
	} {
		b, err := s.List(ctx, resource)
		if err != nil {
			t.Errorf("%s: %v", resource, err)
			continue
		}
		got := names(ofResource(objectsOf(t, text(t, b, err), resource), resource))
		if got != want || b.Form != YAML {
			t.Errorf("%s: %s, want %s", resource, got, want)
		}
	}
	for _, resource := range []string{"nodes", "namespaces", "secrets", "deployments.apps", "", "pods.networking"} {
		b, err := s.List(ctx, resource)
		wantMissing(t, b, err)
	}
}

// objectsOf parses a YAML text with sigs.k8s.io/yaml. It returns the objects in
// the text and those in its lists.
func objectsOf(t testing.TB, text, label string) (out []*object.Object) {
	t.Helper()
	for _, doc := range strings.Split("\n"+text, "\n---") {
		var o *object.Object
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatalf("%s: %v in\n%s", label, err, doc)
		}
		if items, ok := o.Get("items").([]any); ok {
			for _, i := range items {
				out = append(out, i.(*object.Object))
			}
		} else if o != nil {
			out = append(out, o)
		}
	}
	return out
}

// ofResource returns the objects that belong to a resource according to
// apimachinery.
func ofResource(objects []*object.Object, resource string) []*object.Object {
	return slices.DeleteFunc(slices.Clone(objects), func(o *object.Object) bool {
		version, _ := schema.ParseGroupVersion(o.Get("apiVersion").(string))
		r, _ := meta.UnsafeGuessKindToResource(version.WithKind(o.Get("kind").(string)))
		r.Resource = strings.Replace(r.Resource, "gatewaies", "gateways", 1)
		return r.GroupResource().String() != resource
	})
}

func names(objects []*object.Object) string {
	var out []string
	for _, o := range objects {
		m := o.Get("metadata").(*object.Object)
		namespace, _ := m.Get("namespace").(string) // empty for a node, which has no namespace
		out = append(out, namespace+"/"+m.Get("name").(string))
	}
	return strings.Join(out, " ")
}

// TestPluralsAreKubernetes compares the names of resources from plural with those
// from apimachinery.
func TestPluralsAreKubernetes(t *testing.T) {
	for kind := range strings.FieldsSeq(`Pod Service Endpoints EndpointSlice Node Namespace ConfigMap Secret Event Ingress IngressClass NetworkPolicy
		Deployment ReplicaSet StatefulSet DaemonSet Job CronJob CustomResourceDefinition MutatingWebhookConfiguration PodDisruptionBudget
		VirtualService DestinationRule Gateway ServiceEntry Sidecar EnvoyFilter WorkloadEntry WorkloadGroup ProxyConfig AuthorizationPolicy
		PeerAuthentication RequestAuthentication Telemetry WasmPlugin GatewayClass HTTPRoute GRPCRoute TCPRoute TLSRoute UDPRoute ReferenceGrant
		BackendTLSPolicy XListenerSet InferencePool`) {
		want, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Kind: kind})
		if kind == "Gateway" {
			want.Resource = "gateways" // the name in the CustomResourceDefinition; apimachinery would guess "gatewaies"
		}
		if got := plural(kind); got != want.Resource {
			t.Errorf("%s: %s, want %s", kind, got, want.Resource)
		}
	}
}

// TestTheRealBugReport checks that the lists of a real bug report contain the
// same objects as its files, which the test parses as a whole.
func TestTheRealBugReport(t *testing.T) {
	archive := "../../../shared/captures/istioctl-bug-report.tar.gz"
	if _, err := os.Stat(archive); err != nil {
		t.Skip(err)
	}
	s, err := Open(t.Context(), archive, OpenOptions{})
	must(t, err)
	defer s.Close()
	if f := faults(s); f != "" {
		t.Error(f)
	}
	tree := s.(*bugReport).tree
	var all []*object.Object
	for _, name := range listFiles() {
		b, err := tree.open(t.Context(), path.Join("bug-report/cluster", name))
		must(t, err)
		all = append(all, objectsOf(t, text(t, &Body{Bytes: b}, nil), name)...)
	}
	for resource, many := range map[string]int{
		"pods": 8, "services": 7, "nodes": 1, "endpointslices.discovery.k8s.io": 5, "virtualservices.networking.istio.io": 5,
		"destinationrules.networking.istio.io": 5, "gateways.networking.istio.io": 2, "envoyfilters.networking.istio.io": 1,
		"authorizationpolicies.security.istio.io": 1, "peerauthentications.security.istio.io": 1, "serviceentries.networking.istio.io": 1,
		"sidecars.networking.istio.io": 1, "telemetries.telemetry.istio.io": 0,
	} {
		b, err := s.List(t.Context(), resource)
		got := ofResource(objectsOf(t, text(t, b, err), resource), resource)
		var want []*object.Object
		seen := map[string]bool{}
		for _, o := range ofResource(all, resource) {
			if key := names([]*object.Object{o}); !seen[key] {
				seen[key] = true
				want = append(want, o)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", resource, d)
		}
		if len(got) != many {
			t.Errorf("%s: %d, want %d", resource, len(got), many)
		}
	}
	if ids, err := s.Proxies(t.Context()); err != nil || len(ids) != 3 {
		t.Error(ids, err)
	}
}

// TestADamagedList checks that List returns an error if the list may be
// incomplete.
func TestADamagedList(t *testing.T) {
	b := asTar(t, "bug-report/", smallReport())
	at := bytes.Index(b, []byte(customResources))
	s := openAll(t, b[:at+100], OpenOptions{})
	for _, resource := range []string{"gateways.networking.istio.io", "telemetries.telemetry.istio.io"} {
		if _, err := s.List(t.Context(), resource); err == nil || err.Error() != "cut short in the archive: unexpected EOF" {
			t.Errorf("%s: %v", resource, err)
		}
	}
	if _, err := s.List(t.Context(), "services"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "not in the snapshot: the archive is damaged" {
		t.Error(err)
	}
	b = asOurs(t, smallReport())
	entries, _ := readIndex(bytes.NewReader(b), 100)
	for _, e := range entries {
		if e.name == "cluster/k8s-resources" {
			b[e.off+e.packed/2] ^= 0xff
		}
	}
	s = openAll(t, b, OpenOptions{})
	if _, err := s.List(t.Context(), "pods"); err == nil || !strings.HasPrefix(err.Error(), "damaged in the archive: ") {
		t.Error(err) // List must return an error, although cluster/pods contains pods
	}
	empty := smallReport()
	empty["cluster/crs"], empty["cluster/k8s-resources"] = "apiVersion: v1\nitems: []\nkind: List\n", "error: You must be logged in\n"
	s = openAll(t, asTar(t, "bug-report/", empty), OpenOptions{})
	b2, err := s.List(t.Context(), "sidecars.networking.istio.io")
	if got := objectsOf(t, text(t, b2, err), ""); len(got) != 0 {
		t.Error(got)
	}
	body, err := s.List(t.Context(), "services")
	wantMissing(t, body, err)
}

// FuzzObjects checks that scanning any text for objects ends without a panic.
func FuzzObjects(f *testing.F) {
	for _, seed := range []string{resources, customResources, "items:\n- \n-\n- a", "---\n...\n---", "a", "\r\n", "items: []", strings.Repeat("- ", 99)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		found, _, err := scanObjects(t.Context(), strings.NewReader(s))
		must(t, err)
		at := int64(0)
		for _, o := range found {
			if o.off < at || o.end <= o.off || o.end > int64(len(s)) || o.resource() == "" {
				t.Errorf("%+v after %d in %q", o, at, s)
			}
			at = o.end
		}
		if len(found) > 0 {
			j := &joined{}
			j.addObject(strings.NewReader(s), found[0])
			if _, err := io.ReadAll(io.NewSectionReader(j, 0, j.Size())); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestJoined(t *testing.T) {
	j := &joined{}
	j.addText("ab")
	j.addText("")
	j.add(strings.NewReader("xcdefx"), 1, 5)
	j.addText("g")
	const want = "abcdefg"
	for off := range len(want) {
		for n := range len(want) + 2 {
			b := make([]byte, n)
			m, err := j.ReadAt(b, int64(off))
			short := off+n > len(want)
			if string(b[:m]) != want[off:min(off+n, len(want))] || short != (err == io.EOF) || err != nil && err != io.EOF {
				t.Errorf("%d at %d: %q, %v", n, off, b[:m], err)
			}
		}
	}
}
