package predict

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/sources/apiserver"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/store"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/sources/xds"
)

// demoMesh reads the inputs of the snapshot that comes with the plugin.
func demoMesh(t *testing.T) (*Inputs, []transport.Source) {
	t.Helper()
	return demoMeshWith(t, func(*inventory.Inventory) {})
}

// demoMeshWith is like demoMesh, but changes the inventory before the inputs are read.
func demoMeshWith(t *testing.T, change func(*inventory.Inventory)) (*Inputs, []transport.Source) {
	t.Helper()
	s, err := transport.OpenBytes(t.Context(), "demo", demo.Archive, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	all := []transport.Source{s}
	st := store.New(t.Context(), store.Options{Memory: 1 << 28, Slots: 4})
	t.Cleanup(st.Close)
	clusters := requests.Clusters(all)
	inv, err := (&inventory.Reader{Client: requests.NewClient(st, nil), Clusters: clusters, Store: st}).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	change(inv)
	in, err := Read(t.Context(), clusters, inv)
	if err != nil {
		t.Fatal(err)
	}
	return in, all
}

func object(t *testing.T, text string) apiserver.Object {
	t.Helper()
	var o apiserver.Object
	if err := decodeJSON([]byte(text), &o); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return o
}

var when = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

// TestUnreadInputs checks that faults of the inventory and proxies that are not
// connected to an istiod are reported as unread, and that nothing of the complete mesh
// is.
func TestUnreadInputs(t *testing.T) {
	if in, _ := demoMesh(t); len(in.Unread) != 0 {
		t.Errorf("of the complete mesh: %v", in.Unread)
	}
	silent := &mesh.Fault{Subject: "istiod-2.istio-system", Section: "syncz", Err: errors.New("no answer")}
	var alone string
	in, _ := demoMeshWith(t, func(inv *inventory.Inventory) {
		inv.Faults = append(inv.Faults, silent)
		alone = inv.Proxies[0].ID
		inv.Proxies[0].Link = nil
	})
	want := []string{silent.Error(), (&mesh.Fault{Proxy: alone, Section: "node", Err: errNotConnected}).Error()}
	var got []string
	for _, f := range in.Unread {
		got = append(got, f.Error())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestUnpredictedKinds checks which objects are only noted, because istiod doesn't read
// them, and which make the prediction incomplete.
func TestUnpredictedKinds(t *testing.T) {
	in, _ := demoMesh(t)
	for _, c := range []struct {
		apiVersion, kind   string
		notes, unpredicted int
	}{
		{"networking.istio.io/v1", "Virtualservice", 0, 1}, {"gateway.networking.k8s.io/v1", "FutureRoute", 0, 1},
		{"rbac.authorization.k8s.io/v1", "Role", 1, 0}, {"apps/v1", "Deployment", 1, 0},
	} {
		o, err := in.Merge([]apiserver.Object{{"apiVersion": c.apiVersion, "kind": c.kind, "metadata": apiserver.Object{"name": "x"}}}, false, "default", when)
		if err != nil || len(o.Notes) != c.notes || len(o.Unpredicted) != c.unpredicted || !o.IsEmpty() {
			t.Errorf("%s: %+v, %v", c.kind, o, err)
		}
	}
}

// TestInputs checks the inputs that are read from the demo snapshot: the nodes must
// be those in the proxies' bootstraps, and the mesh configuration and the kinds of
// the objects must be correct.
func TestInputs(t *testing.T) {
	in, _ := demoMesh(t)
	if len(in.Proxies) != 7 || in.Namespace != "istio-system" || in.ClusterID != "Kubernetes" || len(in.Unread) != 0 {
		t.Errorf("%d proxies, %s, %s, %v", len(in.Proxies), in.Namespace, in.ClusterID, in.Unread)
	}
	for _, p := range in.Proxies {
		want := "sidecar"
		if strings.HasPrefix(p.ID, "istio-ingressgateway") {
			want = "router"
		}
		if p.Node.Type() != want || p.Node.Proxy() != p.ID || p.Node.Region != "eu-west1" || p.Node.Metadata["CLUSTER_ID"] != "Kubernetes" {
			t.Errorf("%+v", p.Node)
		}
	}
	if cm := in.Objects.Get("configmaps", "istio-system/istio"); !strings.Contains(apiserver.Text(apiserver.At(cm, "data", "mesh")), "trustDomain") {
		t.Errorf("%v", cm)
	}
	if all := in.Objects.All("destinationrules.networking.istio.io"); len(all) == 0 || all[0]["kind"] != "DestinationRule" {
		t.Errorf("%v", all)
	}
	if s := in.Objects.All("secrets"); len(s) != 0 {
		t.Errorf("%d secrets", len(s))
	}
}

// TestMergeRules checks which objects are stored if objects are new, changed or
// removed.
func TestMergeRules(t *testing.T) {
	in := &Inputs{Objects: &apiserver.Objects{}}
	in.Objects.Add("services", object(t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"shop","uid":"u1","creationTimestamp":"2020-01-01T00:00:00Z","generation":3,"labels":{"a":"1"}},
		"spec":{"clusterIP":"10.0.0.9","clusterIPs":["10.0.0.9"],"type":"ClusterIP","selector":{"app":"web"},"ports":[{"name":"http","port":80,"protocol":"TCP","targetPort":8080,"nodePort":31000}]},"status":{"loadBalancer":{}}}`))
	in.Objects.Add("virtualservices.networking.istio.io", object(t, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"web","namespace":"shop","uid":"u2","creationTimestamp":"2020-01-01T00:00:00Z","generation":1},
		"spec":{"hosts":["web"],"gateways":["g"],"http":[]},"status":{"x":1}}`))
	in.cluster = &requests.Cluster{}
	got, err := in.Merge([]apiserver.Object{
		object(t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"shop","labels":{"b":"2"}},"spec":{"selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":8081}]}}`),
		object(t, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"web"},"spec":{"hosts":["other"]}}`),
		object(t, `{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"new"},"spec":{"hosts":["new"]}}`),
		object(t, `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{}}`),
		object(t, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"web"},"data":{}}`),
	}, false, "shop", when)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Edits) != 3 || len(got.Notes) != 2 {
		t.Fatalf("%d edits, %q", len(got.Edits), got.Notes)
	}
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	service := got.Edits[0].Object
	for path, want := range map[string]string{
		"metadata.uid": `"u1"`, "metadata.creationTimestamp": `"2020-01-01T00:00:00Z"`, "metadata.generation": "4", "metadata.labels": `{"a":"1","b":"2"}`,
		"spec.clusterIP": `"10.0.0.9"`, "spec.ports": `[{"name":"http","nodePort":31000,"port":80,"protocol":"TCP","targetPort":8081}]`, "status": `{"loadBalancer":{}}`,
	} {
		if have := text(apiserver.At(service, strings.Split(path, ".")...)); have != want {
			t.Errorf("Service %s: %s, want %s", path, have, want)
		}
	}
	if have := text(got.Edits[1].Object["spec"]); have != `{"hosts":["other"]}` || text(got.Edits[1].Object["status"]) != `{"x":1}` {
		t.Errorf("VirtualService: %s", text(got.Edits[1].Object))
	}
	if m := apiserver.Metadata(got.Edits[2].Object); m["namespace"] != "shop" || m["creationTimestamp"] != "2026-12-01T00:00:00Z" || m["uid"] == nil {
		t.Errorf("%v", m)
	}
	if apiserver.Text(apiserver.At(in.Objects.Get("services", "shop/web"), "spec", "clusterIP")) != "10.0.0.9" || text(apiserver.At(in.Objects.Get("virtualservices.networking.istio.io", "shop/web"), "spec", "hosts")) != `["web"]` {
		t.Error("the mesh's own objects were changed")
	}
	same, err := in.Merge([]apiserver.Object{object(t, `{"apiVersion":"networking.istio.io/v1beta1","kind":"VirtualService","metadata":{"name":"web","namespace":"shop"},"spec":{"hosts":["web"],"gateways":["g"],"http":[]}}`)}, false, "x", when)
	if err != nil || !same.Edits[0].Same {
		t.Errorf("%+v, %v", same, err)
	}
	if _, err := in.Merge([]apiserver.Object{object(t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"none"}}`)}, true, "shop", when); err == nil {
		t.Error("an object that isn't there is removed")
	}
	for _, bad := range []string{`{}`, `{"kind":"Service"}`, `{"apiVersion":"v1","kind":"Service","metadata":{}}`} {
		if _, err := in.Merge([]apiserver.Object{object(t, bad)}, false, "shop", when); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// TestLastApplied checks that fields are removed that kubectl's last configuration had
// and the new one doesn't have, and that fields from other writers are kept.
func TestLastApplied(t *testing.T) {
	base := object(t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"metadata\":{\"labels\":{\"old\":\"1\"}},\"spec\":{\"selector\":{\"x\":\"1\",\"y\":\"2\"}}}"},"labels":{"old":"1","others":"1"}},"spec":{"selector":{"x":"1","y":"2"},"clusterIP":"10.0.0.1"}}`)
	got := replaced(base, object(t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"selector":{"x":"1"}}}`))
	if diff := cmp.Diff(map[string]any{"selector": map[string]any{"x": "1"}, "clusterIP": "10.0.0.1"}, got["spec"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"others": "1"}, apiserver.Metadata(got)["labels"]); diff != "" {
		t.Error(diff)
	}
}

// TestNewService checks that a new Service gets its defaults, and the slices that the
// endpoint controller would create.
func TestNewService(t *testing.T) {
	in, _ := demoMesh(t)
	got, err := in.Merge([]apiserver.Object{object(t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"all-reviews"},"spec":{"selector":{"app":"reviews"},"ports":[{"port":9080}]}}`)}, false, "default", when)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Derived) != 1 || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "198.19.0.1") {
		t.Fatalf("%d slices, %q", len(got.Derived), got.Notes)
	}
	slice := got.Derived[0].Object
	var ips []string
	for _, e := range apiserver.List(slice, "endpoints") {
		ips = append(ips, apiserver.Text(apiserver.List(e, "addresses")[0]))
		if apiserver.At(e, "conditions", "ready") != true || apiserver.At(e, "targetRef", "name") == nil {
			t.Errorf("%v", e)
		}
	}
	var want []string
	for _, s := range in.Objects.All(slicesResource) { // these are the controller's slices of the Service reviews
		if sliceOf(s) == "default/reviews" {
			for _, e := range apiserver.List(s, "endpoints") {
				want = append(want, apiserver.Text(apiserver.List(e, "addresses")[0]))
			}
		}
	}
	slices.Sort(ips)
	slices.Sort(want)
	if diff := cmp.Diff(want, ips); diff != "" || len(ips) != 3 {
		t.Error(diff)
	}
	removed, err := in.Merge([]apiserver.Object{object(t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"reviews"}}`)}, true, "default", when)
	if err != nil || len(removed.Derived) == 0 || !removed.Derived[0].Remove {
		t.Errorf("%+v, %v", removed, err)
	}
}

func proxyOf(name string, change func(*xds.Node)) *Proxy {
	n := &xds.Node{
		ID: fmt.Sprintf("sidecar~10.0.0.%d~%s.shop~shop.svc.cluster.local", len(name), name), Region: "eu", Zone: "a",
		Metadata: map[string]any{
			"NAME": name, "INSTANCE_IPS": fmt.Sprintf("10.0.0.%d", len(name)), "NODE_NAME": "node-" + name, "NAMESPACE": "shop", "SERVICE_ACCOUNT": "web",
			"LABELS":      map[string]any{"app": "web", "pod-template-hash": name},
			"ANNOTATIONS": map[string]any{"sidecar.istio.io/status": "x", "cni.projectcalico.org/podIP": name},
		},
	}
	if change != nil {
		change(n)
	}
	return &Proxy{ID: name + ".shop", Node: n}
}

// TestClasses checks which properties put two proxies into different classes.
func TestClasses(t *testing.T) {
	slice := func(ready bool, ips ...string) apiserver.Object {
		var all []any
		for _, ip := range ips {
			all = append(all, apiserver.Object{"addresses": []any{ip}, "conditions": apiserver.Object{"ready": ready}})
		}
		return apiserver.Object{"metadata": apiserver.Object{"name": fmt.Sprint(ips, ready), "namespace": "shop", "labels": apiserver.Object{serviceLabel: "web"}}, "endpoints": all}
	}
	service := func(spec apiserver.Object) apiserver.Object {
		return apiserver.Object{"metadata": apiserver.Object{"name": "web", "namespace": "shop"}, "spec": spec}
	}
	label := func(k, v string) func(*xds.Node) {
		return func(n *xds.Node) { n.Metadata["LABELS"].(map[string]any)[k] = v }
	}
	for name, c := range map[string]struct {
		change  func(*xds.Node)
		service apiserver.Object
		slices  []apiserver.Object
		want    int
	}{
		"names, addresses, nodes and hashes don't count": {want: 1},
		"labels count":                  {change: label("version", "v2"), want: 2},
		"the zone counts":               {change: func(n *xds.Node) { n.Zone = "b" }, want: 2},
		"the account counts":            {change: func(n *xds.Node) { n.Metadata["SERVICE_ACCOUNT"] = "other" }, want: 2},
		"the version counts":            {change: func(n *xds.Node) { n.Metadata["ISTIO_VERSION"] = "1.2.3" }, want: 2},
		"Istio's annotations count":     {change: func(n *xds.Node) { n.Metadata["ANNOTATIONS"].(map[string]any)["sidecar.istio.io/inject"] = "x" }, want: 2},
		"the type counts":               {change: func(n *xds.Node) { n.ID = strings.Replace(n.ID, "sidecar", "router", 1) }, want: 2},
		"an address of IPv6 counts":     {change: func(n *xds.Node) { n.Metadata["INSTANCE_IPS"] = "fd00::1" }, want: 2},
		"Services count":                {service: service(apiserver.Object{"clusterIP": "10.1.0.1"}), slices: []apiserver.Object{slice(true, "10.0.0.3")}, want: 2},
		"equal Services don't":          {service: service(apiserver.Object{"clusterIP": "10.1.0.1"}), slices: []apiserver.Object{slice(true, "10.0.0.3", "10.0.0.4")}, want: 1},
		"readiness counts":              {service: service(apiserver.Object{"clusterIP": "10.1.0.1"}), slices: []apiserver.Object{slice(true, "10.0.0.3"), slice(false, "10.0.0.4")}, want: 2},
		"headless Services: each alone": {service: service(apiserver.Object{"clusterIP": "None"}), slices: []apiserver.Object{slice(true, "10.0.0.3", "10.0.0.4")}, want: 2},
		"traffic on the node":           {service: service(apiserver.Object{"internalTrafficPolicy": "Local"}), want: 2},
	} {
		o := &apiserver.Objects{}
		if c.service != nil {
			o.Add("services", c.service)
		}
		for _, s := range c.slices {
			o.Add(slicesResource, s)
		}
		all := []*Proxy{proxyOf("one", nil), proxyOf("four", c.change)}
		if got := classes(all, []*apiserver.Objects{o}, false); len(got) != c.want {
			t.Errorf("%s: %d classes", name, len(got))
		}
		if got := classes(all, []*apiserver.Objects{o}, true); len(got) != 2 {
			t.Errorf("%s: %d classes with all", name, len(got))
		}
	}
}

// TestStandIns checks that a throwaway certificate is added only if a listener's
// status reports that its references are resolved.
func TestStandIns(t *testing.T) {
	o := &apiserver.Objects{}
	o.Add("gateways.gateway.networking.k8s.io", object(t, `{"metadata":{"name":"g","namespace":"shop"},"spec":{"listeners":[
		{"name":"a","tls":{"certificateRefs":[{"name":"good"},{"name":"other","namespace":"certs"}]}},{"name":"b","tls":{"certificateRefs":[{"name":"bad"}]}}]},
		"status":{"listeners":[{"name":"a","conditions":[{"type":"ResolvedRefs","status":"True"}]},{"name":"b","conditions":[{"type":"ResolvedRefs","status":"False"}]}]}}`))
	standIns(o)
	var keys []string
	for _, s := range o.All("secrets") {
		keys = append(keys, apiserver.Key(s))
	}
	if diff := cmp.Diff([]string{"certs/other", "shop/good"}, keys); diff != "" {
		t.Error(diff)
	}
}
