package apiserver

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

func service(namespace, name string, labels Object) Object {
	return Object{"apiVersion": "v1", "kind": "Service", "metadata": Object{"name": name, "namespace": namespace, "labels": labels, "resourceVersion": "1", "uid": name}, "spec": Object{"clusterIP": "10.0.0.1"}}
}

func virtualService(namespace, name string) Object {
	return Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": Object{"name": name, "namespace": namespace, "resourceVersion": "1", "uid": name}, "spec": Object{}}
}

const virtualServices = "virtualservices.networking.istio.io"

func newServer(t *testing.T) (*Server, *rest.Config) {
	t.Helper()
	o := &Objects{}
	o.Add("services", service("shop", "web", Object{"app": "web"}))
	o.Add("services", service("bank", "ledger", Object{"app": "ledger"}))
	o.Add(virtualServices, virtualService("shop", "web"))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, &rest.Config{Host: s.URL()}
}

func ready(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a watchdog
	t.Cleanup(cancel)
	return ctx
}

// TestClientGo reads the server with client-go's typed, dynamic and metadata clients,
// as istiod does.
func TestClientGo(t *testing.T) {
	_, config := newServer(t)
	ctx := ready(t)
	typed := kubernetes.NewForConfigOrDie(config)
	for _, c := range []struct {
		namespace, labels, fields string
		want                      int
	}{
		{"", "", "", 2}, {"shop", "", "", 1}, {"", "app=web", "", 1}, {"", "app in (web, ledger)", "", 2}, {"", "!app", "", 0},
		{"", "", "metadata.name=ledger", 1}, {"", "", "metadata.namespace!=shop", 1}, {"none", "", "", 0},
	} {
		all, err := typed.CoreV1().Services(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: c.labels, FieldSelector: c.fields})
		if err != nil || len(all.Items) != c.want {
			t.Errorf("%+v: %v, %v", c, all, err)
		}
	}
	one, err := typed.CoreV1().Services("shop").Get(ctx, "web", metav1.GetOptions{})
	if err != nil || one.Spec.ClusterIP != "10.0.0.1" {
		t.Errorf("%+v %v", one, err)
	}
	if _, err := typed.CoreV1().Services("shop").Get(ctx, "none", metav1.GetOptions{}); err == nil || !strings.Contains(err.Error(), "NotFound") {
		t.Errorf("%v", err)
	}
	crd := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	names, err := metadata.NewForConfigOrDie(config).Resource(crd).List(ctx, metav1.ListOptions{})
	if err != nil || len(names.Items) != 1 || names.Items[0].Name != virtualServices {
		t.Errorf("the definitions are %v, %v", names, err)
	}
	vs := schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"}
	if all, err := dynamic.NewForConfigOrDie(config).Resource(vs).List(ctx, metav1.ListOptions{}); err != nil || len(all.Items) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := dynamic.NewForConfigOrDie(config).Resource(schema.GroupVersionResource{Group: "x.io", Version: "v1", Resource: "things"}).List(ctx, metav1.ListOptions{}); err == nil {
		t.Error("an unknown resource is served")
	}
	if v, err := typed.Discovery().ServerVersion(); err != nil || v.Major == "" {
		t.Errorf("%v, %v", v, err)
	}
}

// TestInformer follows changes with client-go's informer, whose cache then has the
// objects of the server.
func TestInformer(t *testing.T) {
	s, config := newServer(t)
	ctx := ready(t)
	factory := informers.NewSharedInformerFactory(kubernetes.NewForConfigOrDie(config), 0)
	informer := factory.Core().V1().Services().Informer()
	seen := make(chan string, 100)
	informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { seen <- "added " + o.(*corev1.Service).Name },
		UpdateFunc: func(_, o any) { seen <- "changed " + o.(*corev1.Service).Name },
		DeleteFunc: func(o any) { seen <- "removed " + o.(*corev1.Service).Name },
	})
	factory.Start(ctx.Done())
	expect := func(want ...string) {
		t.Helper()
		for range want {
			select {
			case got := <-seen:
				found := false
				for _, w := range want {
					found = found || w == got
				}
				if !found {
					t.Errorf("got %s, want one of %v", got, want)
				}
			case <-ctx.Done():
				t.Fatalf("no event; want %v", want)
			}
		}
	}
	expect("added ledger", "added web")
	s.Apply([]Change{{Resource: "services", Object: service("shop", "cart", nil)}})
	expect("added cart")
	changed := service("shop", "web", Object{"app": "other"})
	Metadata(changed)["resourceVersion"] = "2"
	s.Apply([]Change{{Resource: "services", Object: changed}, {Resource: virtualServices, Object: virtualService("shop", "x")}})
	expect("changed web")
	s.Apply([]Change{{Resource: "services", Object: service("bank", "ledger", nil), Remove: true}})
	expect("removed ledger")
	if n := len(informer.GetStore().List()); n != 2 {
		t.Errorf("%d services in the cache", n)
	}
}

// TestWritesAreForgotten checks that a write is answered and changes nothing.
func TestWritesAreForgotten(t *testing.T) {
	_, config := newServer(t)
	ctx := ready(t)
	client := dynamic.NewForConfigOrDie(config).Resource(schema.GroupVersionResource{Version: "v1", Resource: "services"}).Namespace("shop")
	o := &unstructured.Unstructured{Object: service("shop", "new", nil)}
	if got, err := client.Create(ctx, o, metav1.CreateOptions{}); err != nil || got.GetName() != "new" {
		t.Errorf("%v, %v", got, err)
	}
	client.Delete(ctx, "web", metav1.DeleteOptions{})
	if all, err := client.List(ctx, metav1.ListOptions{}); err != nil || len(all.Items) != 1 || all.Items[0].GetName() != "web" {
		t.Errorf("%v, %v", all, err)
	}
}

// TestOnlyWithToken checks that requests without the token, or with another one, are
// refused, and that the server listens only on loopback.
func TestOnlyWithToken(t *testing.T) {
	s, _ := newServer(t)
	for _, c := range []struct {
		path, bearer string
		want         int
	}{
		{"/api/v1/services", "", 401}, {"/x/api/v1/services", "", 401}, {"/" + s.Token() + "/api/v1/services", "", 200},
		{"/api/v1/services", s.Token(), 200}, {"/api/v1/services", s.Token() + "x", 401}, {"/" + s.Token() + "/api/v1/nothing", "", 404},
	} {
		r, err := http.NewRequestWithContext(ready(t), http.MethodGet, s.Proxy()+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.bearer != "" {
			r.Header.Set("Authorization", "Bearer "+c.bearer)
		}
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		w.Body.Close()
		if w.StatusCode != c.want {
			t.Errorf("%+v: %d", c, w.StatusCode)
		}
	}
	if u, err := url.Parse(s.Proxy()); err != nil || u.Hostname() != "127.0.0.1" {
		t.Errorf("%s, %v", s.Proxy(), err)
	}
}

// TestProxyRefuses checks that the server connects nobody who uses it as a proxy, and
// that it notes the hosts.
func TestProxyRefuses(t *testing.T) {
	s, _ := newServer(t)
	proxy, err := url.Parse(s.Proxy())
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}
	for _, u := range []string{"https://keys.example.com/jwks", "http://plain.example.com:8080/jwks"} {
		r, err := http.NewRequestWithContext(ready(t), http.MethodGet, u, nil)
		if err != nil {
			t.Fatal(err)
		}
		w, err := client.Do(r)
		if err == nil {
			w.Body.Close()
			if w.StatusCode != http.StatusForbidden {
				t.Errorf("%s: %s", u, w.Status)
			}
		}
	}
	if got, _ := json.Marshal(s.Blocked()); string(got) != `["keys.example.com:443","plain.example.com:8080"]` {
		t.Errorf("%s", got)
	}
}

func TestResources(t *testing.T) {
	for _, c := range []struct{ version, kind, want string }{
		{"networking.istio.io/v1", "Gateway", "gateways.networking.istio.io"}, {"gateway.networking.k8s.io/v1", "Gateway", "gateways.gateway.networking.k8s.io"},
		{"v1", "Service", "services"}, {"networking.istio.io/v1alpha3", "EnvoyFilter", "envoyfilters.networking.istio.io"}, {"discovery.k8s.io/v1", "EndpointSlice", "endpointslices.discovery.k8s.io"},
		{"v1", "Nothing", ""}, {"other.io/v1", "Service", ""},
	} {
		if got, ok := ResourceOf(c.version, c.kind); got != c.want || ok != (c.want != "") {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
