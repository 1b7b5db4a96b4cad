package routing

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// routerCheck is the directory with the test cases of the Envoy project. They
// are not copied into this repository.
const routerCheck = "../../../../shared/conformance/router_check"

type checkCase struct {
	Name  string `json:"test_name"`
	Input struct {
		Authority, Path, Method, Runtime string
		SSL, Internal                    bool
		Random                           uint64      `json:"random_value"`
		Headers                          []keyValue  `json:"additional_request_headers"`
		Metadata                         []spaceData `json:"dynamic_metadata"`
	}
	Validate *object.Object
}

type keyValue struct{ Key, Value string }

type spaceData struct {
	Namespace string `json:"metadata_namespace"`
	Value     *object.Object
	Overwrite bool `json:"allow_overwrite"`
}

// TestRouterCheck runs the test cases of Envoy's router_check_tool in the same way
// as that tool. The random value is 0 unless the case sets it. A runtime fraction
// is 0 percent, or at least 1 percent if the case names its key.
func TestRouterCheck(t *testing.T) {
	goldens, err := filepath.Glob(filepath.Join(routerCheck, "*.golden.proto.json"))
	if err != nil || len(goldens) == 0 {
		t.Skip("the Envoy project's cases are not here")
	}
	n := 0
	for _, golden := range goldens {
		name := strings.TrimSuffix(filepath.Base(golden), ".golden.proto.json")
		for _, c := range checkCases(t, golden) {
			n++
			wrong := routerChecked(t, configurationOf(t, name), c)
			if meantToFail[name+"/"+c.Name] != (wrong != "") {
				t.Errorf("%s/%s: %q", name, c.Name, wrong)
			}
		}
	}
	if n != 111 {
		t.Errorf("%d cases were tried", n)
	}
}

// meantToFail lists the cases that router_check_tool's own tests expect to fail.
var meantToFail = map[string]bool{
	"TestRoutesFailures/ResponseHeaderMatches Failures": true, "TimeoutFailures/Test_1": true,
	"RouteMetadata/MetadataValueMismatch": true, "RouteMetadata/MetadataNamespaceMissing": true,
}

func checkCases(t *testing.T, path string) []checkCase {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Tests []checkCase }
	if err := object.Unmarshal(regexp.MustCompile(`,(\s*[\]}])`).ReplaceAll(b, []byte("$1")), &all); err != nil {
		t.Fatal(path, err)
	}
	return all.Tests
}

func configurationOf(t *testing.T, name string) any {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(routerCheck, strings.TrimSuffix(name, "Failures")+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(b, &v); err != nil {
		t.Fatal(name, err)
	}
	return camel(v)
}

// withRuntime replaces each runtime fraction with the value that
// router_check_tool would use: at least 1 if set is the fraction's runtime key,
// and 0 otherwise.
func withRuntime(v any, set string) {
	switch x := v.(type) {
	case []any:
		for _, w := range x {
			withRuntime(w, set)
		}
	case *object.Object:
		if key, ok := x.Get("runtimeKey").(string); ok {
			d, _ := x.Get("defaultValue").(*object.Object)
			n, _ := d.Get("numerator").(int)
			if d.Set("numerator", 0); key == set {
				d.Set("numerator", max(n, 1))
			}
			x.Delete("runtimeKey")
			return
		}
		for _, w := range x.All() {
			withRuntime(w, set)
		}
	}
}

// routerChecked runs one case. It returns a description of the first unexpected
// value, or "" if there is none.
func routerChecked(t *testing.T, rc any, c checkCase) string {
	in := c.Input
	r := Request{
		Method: in.Method, Host: in.Authority, Path: in.Path, TLS: in.SSL, Random: &in.Random,
		Source: "127.0.0.1", Metadata: object.New(0),
	}
	if in.Internal {
		r.Headers = append(r.Headers, [2]string{"x-envoy-internal", "true"})
	}
	for _, h := range in.Headers {
		r.Headers = append(r.Headers, [2]string{h.Key, h.Value})
	}
	for _, m := range in.Metadata {
		if r.Metadata.Get(m.Namespace) == nil || m.Overwrite {
			r.Metadata.Set(m.Namespace, camelNumbers(m.Value))
		}
	}
	withRuntime(rc.(*object.Object).Get("virtualHosts"), in.Runtime)
	a, err := Configuration(context.Background(), &Cache{}, rc, HCM{}, r)
	if err != nil {
		t.Fatal(err)
	}
	k := &checked{choice: newChoice(context.Background(), &Cache{}, Envoy{}), a: a, r: r, rc: rc}
	for what, want := range c.Validate.All() {
		if _, list := want.([]any); list {
			if got := k.get(what, want); got != nil {
				return what + ": " + text(got)
			}
		} else if got := k.get(what, want); got != want {
			return what + ": " + text(got) + ", want " + text(want)
		}
	}
	return ""
}

func camelNumbers(v any) any {
	switch x := object.FromPlain(v).(type) {
	case float64:
		return int(x)
	case *object.Object:
		for k := range x.All() {
			x.Set(k, camelNumbers(x.Get(k)))
		}
		return x
	}
	return v
}

func text(v any) string { b, _ := json.Marshal(v); return string(b) }

// A checked computes from an answer the properties that router_check_tool
// reports.
type checked struct {
	*choice
	a  *Answer
	r  Request
	rc any
}

// get returns the value of a property that router_check_tool reports. If the
// expected value, want, is a list of conditions, get returns nil if all of them
// hold, and otherwise a description of a difference.
func (k *checked) get(what string, want any) any {
	forwards := k.a.Status == 0 && k.a.RedirectStatus == 0 && k.a.DirectStatus == 0
	host, path := "", ""
	if forwards {
		host, path, _ = strings.Cut(k.a.URL[strings.Index(k.a.URL, "://")+3:], "/")
		path = "/" + path
	}
	route := k.Message(k.a.Route)
	switch what {
	case "cluster_name":
		return k.a.Cluster
	case "virtual_cluster_name":
		return k.virtualCluster(forwards)
	case "virtual_host_name":
		if forwards {
			return k.a.VirtualHost
		}
		return ""
	case "host_rewrite":
		return host
	case "path_rewrite":
		return path
	case "path_redirect":
		if route.Has("directResponse") {
			return "http://" + k.r.Host + k.r.Path
		}
		return k.a.RedirectTo
	case "code_redirect":
		return float64(max(k.a.RedirectStatus, k.a.DirectStatus))
	case "timeout":
		return route.Sub("route").Text("timeout")
	case "route_metadata":
		for _, w := range want.([]any) {
			m := w.(*object.Object)
			if route.Sub("metadata").Sub("filterMetadata").Sub(m.Get("namespace").(string)).Text(camelKey(m.Get("key").(string))) != m.Get("value") {
				return "other metadata"
			}
		}
		return nil
	case "request_header_matches":
		h := k.r.headers()
		h[":authority"], h[":path"] = []string{host}, []string{path}
		k.add(h, "request", func(v string) string {
			return strings.ReplaceAll(v, "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", k.r.Source)
		})
		return k.headers(h, want)
	case "response_header_matches":
		h := headers{}
		if body := route.Sub("directResponse").Sub("body").Text("inlineString"); body != "" {
			h["content-type"], h["content-length"] = []string{"text/plain"}, []string{itoa(len(body))}
		}
		k.add(h, "response", func(v string) string { return v })
		return k.headers(h, want)
	}
	return "unknown"
}

func camelKey(k string) string {
	m := camel(object.Of(k, "")).(*object.Object)
	for k := range m.All() {
		return k
	}
	return ""
}

func (k *checked) virtualCluster(forwards bool) string {
	all := k.Message(k.a.Host).List("virtualClusters")
	if !forwards || len(all) == 0 {
		return ""
	}
	for _, vc := range all {
		holds := true
		for _, h := range vc.List("headers") {
			holds = holds && k.header(h, k.r.headers(), headersAlone)
		}
		if holds {
			return vc.Text("name")
		}
	}
	return "other"
}

// add applies the header changes of the route, its virtual host and its route
// configuration to h.
func (k *checked) add(h headers, which string, format func(string) string) {
	for _, level := range []any{k.a.Route, k.a.Host, k.rc} {
		m := k.Message(level)
		for _, remove := range m.Texts(which + "HeadersToRemove") {
			delete(h, asciiLower(remove))
		}
		for _, o := range m.List(which + "HeadersToAdd") {
			name, value := asciiLower(o.Sub("header").Text("key")), format(o.Sub("header").Text("value"))
			if old := h[name]; len(old) > 0 && o.FlagOr("append", true) {
				value = old[0] + "," + value
			}
			h[name] = []string{value}
		}
	}
}

func (k *checked) headers(h headers, want any) any {
	for _, m := range want.([]any) {
		if !k.header(k.Message(camel(m)), h, headersAlone) {
			return "header " + text(m)
		}
	}
	return nil
}
