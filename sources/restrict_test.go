package sources

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/sources/envoy"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

func sorted(all []string) []string { return slices.Sorted(slices.Values(all)) }

func selector(t *testing.T, s string) labels.Selector {
	t.Helper()
	l, err := labels.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRestrict(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "details istio-ingressgateway productpage ratings reviews reviews reviews"},
		{Options{Namespace: "istio-system"}, "istio-ingressgateway"},
		{Options{Selector: selector(t, "app=reviews")}, "reviews reviews reviews"},
		{Options{Selector: selector(t, "app in (reviews,ratings),version!=v1")}, "reviews reviews"},
		{Options{Selector: selector(t, "!version")}, ""},
		{Options{Proxies: []string{"deploy/reviews-v2", "details"}}, "details reviews"},
		{Options{Proxies: []string{"reviews"}}, "reviews reviews reviews"},
		{Options{Proxies: []string{reviewsV1, reviewsV1}}, "reviews"},
		{Options{Namespace: "default", Selector: selector(t, "app=reviews"), Proxies: []string{"reviews-v1"}}, "reviews"},
	} {
		m := open(t, c.o, source(t, capture))
		_, order := proxies(t, m)
		var got []string
		for _, id := range order {
			app, _, _ := strings.Cut(id, "-v")
			app, _, _ = strings.Cut(app, "-6")
			got = append(got, app)
		}
		if g := strings.Join(got, " "); g != c.want {
			t.Errorf("%+v: %s, want %s", c.o, g, c.want)
		}
		if n := at(t, at(t, m.Document(), "pilots").([]any)[0], "connectedProxies"); n != 7 {
			t.Errorf("%+v: %v connected", c.o, n)
		}
		if n := len(at(t, m.Document(), "services").([]any)); n != 7 {
			t.Errorf("%+v: %d services", c.o, n)
		}
	}
}

func TestUnknownProxies(t *testing.T) {
	for word, want := range map[string]string{
		"nobody":               "no proxy named nobody in namespace default",
		"eviews":               "no proxy named eviews in namespace default; did you mean " + reviewsV1 + ", " + reviewsV2 + ", reviews-v3-7dbcdcbc56-m8dph.default?",
		"istio-ingressgateway": "no proxy named istio-ingressgateway in namespace default",
	} {
		_, err := Open(t.Context(), Options{Sources: []transport.Source{source(t, capture)}, Namespace: "default", Proxies: []string{"reviews-v1", word}})
		var unknown *inventory.UnknownProxyError
		if !errors.As(err, &unknown) || unknown.Word != word || err.Error() != want {
			t.Errorf("%s: %v", word, err)
		}
	}
}

func TestHints(t *testing.T) {
	v := NewVocabulary(map[string]string{"synced": "synced()", "stale": "stale()", "cluster": "cluster(name)", "route": "route(name)"})
	for _, c := range [][3]string{
		{"Proxy", "rds", ""},
		{"Proxy", "clusters", ""},
		{"Proxy", "workloads", ""},
		{"Proxy", "rsd", "Proxy has no field rsd; did you mean rds?"},
		{"Proxy", "Clusters", "Proxy has no field Clusters; did you mean clusters?"},
		{"Proxy", "synced", "synced is a function: write .synced()"},
		{"Proxy", "completelyOther", "Proxy has no field completelyOther"},
		{"Mesh", "virtualServices", ""},
		{"Mesh", "virtual_services", "Mesh has no field virtual_services; did you mean virtualServices?"},
		{"Mesh", "proxy", "Mesh has no field proxy"},
		{"Cluster", "lbPolicy", ""},
		{"Cluster", "lb_policy", "Cluster has no field lb_policy; did you mean lbPolicy?"},
		{"Cluster", "subset", ""},
		{"Cluster", "@type", ""},
		{"Route", "route", ""},
		{"VirtualHost", "domain", "VirtualHost has no field domain; did you mean domains?"},
		{"Endpoint", "health", ""},
		{"Secret", "notafter", "Secret has no field notafter; did you mean notAfter?"},
		{"Workload", "anything", ""},
		{"VirtualService", "anything", ""},
		{"", "anything", ""},
	} {
		for range 2 {
			if got := v.Hint(c[0], c[1]); got != c[2] {
				t.Errorf("%s.%s: %q, want %q", c[0], c[1], got, c[2])
			}
		}
	}
}

// TestOwnNames checks that no field that the plugin defines has the name of one of
// Envoy's fields.
func TestOwnNames(t *testing.T) {
	seen := 0
	for _, k := range mesh.Kinds() {
		theirs := envoy.MessageFields(k.Name)
		if k.Message != "" && len(theirs) == 0 {
			t.Errorf("%s: no fields of %s", k.Name, k.Message)
		}
		for _, f := range k.Fields {
			if seen++; slices.Contains(theirs, f.Name) {
				t.Errorf("%s.%s is a field of %s", k.Name, f.Name, k.Message)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d fields", seen)
	}
}

// TestFieldsOfObjects checks that the objects of the capture have only fields that
// the vocabulary lists for their kinds.
func TestFieldsOfObjects(t *testing.T) {
	m := open(t, Options{}, source(t, capture))
	by, _ := proxies(t, m)
	v := NewVocabulary(nil)
	var walk func(any)
	walk = func(x any) {
		o, isObject := x.(*mesh.Object)
		x, err := mesh.Force(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		switch x := x.(type) {
		case []any:
			for _, e := range x {
				walk(e)
			}
		case *object.Object:
			for k, e := range x.All() {
				if isObject {
					if h := v.Hint(o.Kind, k); h != "" {
						t.Error(h)
					}
				}
				if _, ok := e.(*mesh.Object); ok || isObject && o.Kind != "Proxy" && (k == "virtualHosts" || k == "routes") {
					walk(e)
				}
			}
		}
	}
	walk(m.Document())
	for _, id := range []string{gateway, reviewsV2} {
		walk(by[id])
		for _, s := range mesh.SectionsOf("") {
			walk(at(t, by[id], string(s.Name)))
		}
	}
	walk(at(t, m.Document(), "pilots"))
	walk(at(t, m.Document(), "proxies"))
}

// TestUnknownNamespaceIsAnError checks that it is an error to restrict the mesh to a
// namespace without any proxy, istiod or pod. An empty list of proxies would hide a
// misspelled name.
func TestUnknownNamespaceIsAnError(t *testing.T) {
	m := open(t, Options{Namespace: "nowhere"}, source(t, capture))
	_, err := m.inventory.Get(t.Context())
	var unknown *inventory.UnknownNamespaceError
	if !errors.As(err, &unknown) || unknown.Namespace != "nowhere" {
		t.Errorf("%v", err)
	}
}
