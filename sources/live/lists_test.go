package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/kube"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// TestPods checks that the list of pods has the same content as kubectl's JSON.
// The list must be requested only once, regardless of the number of goroutines
// that need it.
func TestPods(t *testing.T) {
	api := newAPIServer(t)
	api.pods = recordedPods(t)
	c := newCluster(t, api, newNetwork(), nil)
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			if _, err := c.List(t.Context(), "pods"); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	body, err := c.List(t.Context(), "pods")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/api/v1/pods?resourceVersion=0"}; !cmp.Equal(api.asked, want) || api.accepts[0] != asProtobuf+" gzip" {
		t.Errorf("asked %q as %q, want %q", api.asked, api.accepts, want)
	}
	if body.Form != transport.Protobuf || body.Name != "pods" {
		t.Errorf("%s %s", body.Form, body.Name)
	}
	got, err := kube.ProtobufPods(t.Context(), body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(kubernetes + "pods.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := kube.Pods(t.Context(), &decode.Document{Bytes: bytes.NewReader(text), Name: "pods.json"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" || len(got) < 7 {
		t.Errorf("%d pods: %s", len(got), d)
	}
	if len(c.Faults()) > 0 {
		t.Error(c.Faults())
	}
	c.Forget()
	if _, err := c.List(t.Context(), "pods"); err != nil || api.times("/api/v1/pods") != 2 {
		t.Errorf("after Forget: %v, asked %q", err, api.asked)
	}
}

// TestPodsOfSomeNamespaces checks that the pods of the configured namespaces are
// listed if listing the pods of all namespaces is forbidden. A fault must report
// that pods are missing.
func TestPodsOfSomeNamespaces(t *testing.T) {
	api := newAPIServer(t)
	api.pods = []corev1.Pod{aPod("a.shop", nil), aPod("istiod.istio-system", nil), aPod("b.other", nil)}
	api.forbid["/api/v1/pods"] = true
	names := func(c *Cluster) (all []string, fault string) {
		body, err := c.List(t.Context(), "pods")
		if err != nil {
			return nil, err.Error()
		}
		pods, err := kube.ProtobufPods(t.Context(), body)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pods {
			all = append(all, p.ID())
		}
		var faults []string
		for _, f := range c.Faults() {
			if !apierrors.IsForbidden(f) {
				t.Errorf("%v is no lack of a right", f)
			}
			faults = append(faults, f.Error())
		}
		return all, strings.Join(faults, "\n")
	}
	const all = `pods is forbidden: User "jo" cannot list resource "pods" in API group "" at the cluster scope`
	for _, try := range []struct {
		namespace string
		forbid    []string
		want      string
		fault     string
	}{
		{"shop", nil, "istiod.istio-system a.shop", "kubernetes: pods: only of istio-system and shop: forbidden to list pods in all namespaces"},
		{"shop", []string{"istio-system"}, "a.shop", "kubernetes: pods: only of shop: forbidden to list pods in all namespaces, and in namespace istio-system"},
		{"istio-system", nil, "istiod.istio-system", "kubernetes: pods: only of istio-system: forbidden to list pods in all namespaces"},
		{"", nil, "istiod.istio-system", "kubernetes: pods: only of istio-system: forbidden to list pods in all namespaces"},
		{"empty", nil, "istiod.istio-system", "kubernetes: pods: only of empty and istio-system: forbidden to list pods in all namespaces"},
		{"shop", []string{"istio-system", "shop"}, "", all},
	} {
		for _, n := range []string{"istio-system", "shop", "empty"} {
			api.forbid["/api/v1/namespaces/"+n+"/pods"] = false
		}
		for _, n := range try.forbid {
			api.forbid["/api/v1/namespaces/"+n+"/pods"] = true
		}
		c := newCluster(t, api, newNetwork(), func(o *ClusterOptions) { o.Namespace = try.namespace })
		got, fault := names(c)
		if strings.Join(got, " ") != try.want || fault != try.fault {
			t.Errorf("%s, without %s: %q %q, want %q %q", try.namespace, try.forbid, got, fault, try.want, try.fault)
		}
	}
}

// TestLists checks that lists are returned as the API server sends them. Core
// resources need one request. Other resources are requested in the group's
// preferred version or, if that doesn't have the resource, in another version.
func TestLists(t *testing.T) {
	api := newAPIServer(t)
	services, err := os.ReadFile(kubernetes + "services.json")
	if err != nil {
		t.Fatal(err)
	}
	api.lists["/api/v1/services"] = string(services)
	api.lists["/apis/networking.istio.io"] = `{"kind":"APIGroup","apiVersion":"v1","name":"networking.istio.io","versions":[
		{"groupVersion":"networking.istio.io/v1alpha3","version":"v1alpha3"},{"groupVersion":"networking.istio.io/v1","version":"v1"}],
		"preferredVersion":{"groupVersion":"networking.istio.io/v1","version":"v1"}}`
	api.lists["/apis/networking.istio.io/v1/virtualservices"] = `{"kind":"VirtualServiceList","items":[]}`
	api.lists["/apis/networking.istio.io/v1alpha3/envoyfilters"] = `{"kind":"EnvoyFilterList","items":[]}`
	c := newCluster(t, api, newNetwork(), nil)
	for resource, want := range map[string]string{
		"services":                            string(services),
		"virtualservices.networking.istio.io": api.lists["/apis/networking.istio.io/v1/virtualservices"],
		"envoyfilters.networking.istio.io":    api.lists["/apis/networking.istio.io/v1alpha3/envoyfilters"],
	} {
		body, err := c.List(t.Context(), resource)
		if err != nil {
			t.Errorf("%s: %v", resource, err)
			continue
		}
		if body.Form != transport.JSON || body.Name != resource || readBody(t, body) != want {
			t.Errorf("%s: %s %s, not as it was given", resource, body.Name, body.Form)
		}
	}
	for _, resource := range []string{
		"gadgets", "sidecars.networking.istio.io", "httproutes.gateway.networking.k8s.io", "../secrets", "a/b", "pods/x", "", ".", "x.", "services?watch=true",
	} {
		_, err := c.List(t.Context(), resource)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v, want that there is none", resource, err)
		}
		wantError(t, err, "the cluster has no such resource")
	}
	if n := api.times("/apis/networking.istio.io"); n != 1 {
		t.Errorf("the group was asked for %d times", n)
	}
	for _, a := range api.asked {
		if strings.Count(a, "/") > 3 && !strings.HasSuffix(a, "?resourceVersion=0") {
			t.Errorf("asked %s", a)
		}
	}
	if s := c.Stats(); s.Asked != 13 || s.Done != 13 || s.Bytes < int64(len(services)) {
		t.Errorf("%+v", s)
	}
}

// TestListRefused checks that an error of the API server keeps the server's
// message and reason.
func TestListRefused(t *testing.T) {
	api := newAPIServer(t)
	c := newCluster(t, api, newNetwork(), nil)
	answer := func(path string, code int, text string) {
		api.answers[path] = func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			w.Write([]byte(text))
			return true
		}
	}
	api.forbid["/api/v1/services"] = true
	_, err := c.List(t.Context(), "services")
	wantError(t, err, `services is forbidden: User "jo" cannot list resource "services" in API group "" at the cluster scope`)
	if !apierrors.IsForbidden(err) {
		t.Errorf("%T is no lack of a right", err)
	}

	answer("/api/v1/nodes", 403, "<html>\x1b[31mgo away\nnow")
	_, err = c.List(t.Context(), "nodes")
	wantError(t, err, "list nodes in all namespaces: 403 Forbidden: <html>[31mgo away")
	if !apierrors.IsForbidden(err) {
		t.Errorf("%T is no lack of a right", err)
	}

	answer("/api/v1/nodes", 401, `{"kind":"Status","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}`)
	_, err = c.List(t.Context(), "nodes")
	wantError(t, err, "Unauthorized: the API server doesn't take this context's credentials")
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("%T is not about credentials", err)
	}

	answer("/api/v1/nodes", 302, "")
	_, err = c.List(t.Context(), "nodes")
	wantError(t, err, "302 Found")

	answer("/apis/x.y", 200, "{")
	_, err = c.List(t.Context(), "a.x.y")
	wantError(t, err, "API group x.y: unexpected EOF")
}

// TestPodsRefusedInProtobuf checks that an error of the API server is decoded
// even if it is in Protobuf, which is the encoding that a request for pods asks
// for.
func TestPodsRefusedInProtobuf(t *testing.T) {
	api := newAPIServer(t)
	api.answers["/api/v1/pods"] = func(w http.ResponseWriter, r *http.Request) bool {
		api.refuse(w, r, 500, metav1.StatusReasonInternalError, "etcd is away")
		return true
	}
	_, err := newCluster(t, api, newNetwork(), nil).List(t.Context(), "pods")
	wantError(t, err, "etcd is away")
	if !apierrors.IsInternalError(err) {
		t.Errorf("%T", err)
	}
}

// TestBusyAPIServerIsRetried checks that a request is retried after the delay
// that a starting API server has sent.
func TestBusyAPIServerIsRetried(t *testing.T) {
	api := newAPIServer(t)
	for _, most := range []int{2, 9} {
		n := 0
		api.answers["/api/v1/pods"] = func(w http.ResponseWriter, r *http.Request) bool {
			if n++; n > most {
				return false
			}
			w.Header().Set("Retry-After", "1")
			api.refuse(w, r, 429, metav1.StatusReasonTooManyRequests, "storage is (re)initializing")
			return true
		}
		c := newCluster(t, api, newNetwork(), func(o *ClusterOptions) { o.Timeout = fastTimeout })
		_, err := c.List(t.Context(), "pods")
		if most == 2 && (err != nil || n != 3) {
			t.Errorf("%v after %d tries", err, n)
		}
		if most == 9 && (n != 3 || !apierrors.IsTooManyRequests(err)) {
			t.Errorf("%v after %d tries", err, n)
		}
	}
}

// TestNoTokenInErrors checks that no error contains the token.
func TestNoTokenInErrors(t *testing.T) {
	api := newAPIServer(t)
	api.answers["/api/v1/pods"] = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			t.Error("the token was not sent")
		}
		w.WriteHeader(401)
		return true
	}
	config := &rest.Config{Host: api.URL, BearerToken: "s3cret"}
	c := newCluster(t, api, newNetwork(), func(o *ClusterOptions) { o.Config = config })
	_, refused := c.List(t.Context(), "pods")
	api.Close()
	_, away := c.List(t.Context(), "services")
	for _, err := range []error{refused, away} {
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v", err)
		}
	}
	if !strings.HasPrefix(away.Error(), "API server: dial tcp 127.0.0.1:") || strings.Contains(away.Error(), "http") {
		t.Error(away)
	}
}

func TestPilots(t *testing.T) {
	istiod := func(id, rev string, change func(*corev1.Pod)) corev1.Pod {
		return aPod(id, func(p *corev1.Pod) {
			p.Labels["app"], p.Labels["istio.io/rev"] = "istiod", rev
			if change != nil {
				change(p)
			}
		})
	}
	api := newAPIServer(t)
	api.pods = []corev1.Pod{
		istiod("istiod-b.istio-system", "default", nil),
		istiod("istiod-a.istio-system", "canary", func(p *corev1.Pod) { p.Annotations["prometheus.io/port"] = "16000" }),
		istiod("istiod-c.istio-system", "default", func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }),
		istiod("istiod-d.elsewhere", "default", nil),
		aPod("old.istio-old", func(p *corev1.Pod) { p.Labels["istio"] = "pilot" }),
		aPod("other.istio-system", nil),
	}
	n := newNetwork()
	for _, try := range []struct {
		change func(*ClusterOptions)
		want   string
	}{
		{nil, "istiod-a.istio-system istiod-b.istio-system"},
		{func(o *ClusterOptions) { o.Revision = "canary" }, "istiod-a.istio-system"},
		{func(o *ClusterOptions) { o.IstioNamespace = "istio-old" }, "old.istio-old"},
	} {
		c := newCluster(t, api, n, try.change)
		got, err := c.Pilots(t.Context())
		if err != nil || strings.Join(got, " ") != try.want {
			t.Errorf("%q %v, want %q", got, err, try.want)
		}
	}
	const path = "/api/v1/namespaces/istio-system/pods?fieldSelector=status.phase%3DRunning&labelSelector=app%3Distiod&resourceVersion=0"
	if api.asked[0] != path {
		t.Errorf("asked %s", api.asked[0])
	}

	c := newCluster(t, api, n, func(o *ClusterOptions) { o.Revision = "gone" })
	_, err := c.Pilots(t.Context())
	wantError(t, err, "no running istiod of revision gone in namespace istio-system")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%T", err)
	}

	api.forbid["/api/v1/namespaces/istio-system/pods"] = true
	_, err = newCluster(t, api, n, nil).Pilots(t.Context())
	wantError(t, err, `pods is forbidden: User "jo" cannot list resource "pods" in API group "" in the namespace "istio-system"`)
	if !apierrors.IsForbidden(err) {
		t.Errorf("%T", err)
	}
}

func TestManifest(t *testing.T) {
	c := newCluster(t, newAPIServer(t), newNetwork(), nil)
	if m := c.Manifest(); m.Kind != "Live" || m.Context != "kind" || m.IstioNamespace != "istio-system" || !m.TakenAt.IsZero() {
		t.Errorf("%+v", m)
	}
	if names, err := c.Proxies(t.Context()); err != nil || names != nil {
		t.Errorf("%v %v", names, err)
	}
	if _, err := NewCluster(ClusterOptions{}); err == nil {
		t.Error("a cluster without a configuration")
	}
	var _ transport.Source = c
	if _, err := json.Marshal(c.Stats()); err != nil {
		t.Error(err)
	}
}
