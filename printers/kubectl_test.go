package printers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"
	"sigs.k8s.io/yaml/kyaml"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// objects returns Kubernetes objects of a real mesh.
func objects(t testing.TB) []any {
	t.Helper()
	text, err := os.ReadFile("testdata/kubernetes.json")
	if err != nil {
		t.Fatal(err)
	}
	return read(t, string(text), false).(*object.Object).Get("items").([]any)
}

// kubectlObject converts values to the type that kubectl's printers take: a single
// value as it is, several as a List.
func kubectlObject(t testing.TB, values ...any) runtime.Object {
	t.Helper()
	var v any = values[0]
	if len(values) > 1 {
		v = listOf(values)
	}
	text, err := json.Marshal(object.ToPlain(v))
	if err != nil {
		t.Fatal(err)
	}
	obj, err := runtime.Decode(unstructured.UnstructuredJSONScheme, text)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func printedByKubectl(t testing.TB, p printers.ResourcePrinter, values ...any) (string, error) {
	t.Helper()
	var b strings.Builder
	err := p.PrintObj(kubectlObject(t, values...), &b)
	return b.String(), err
}

// lazy returns a copy of a value in which every member is lazy.
func lazy(v any) any { return lazyCopy(&loadLog{}, "", v) }

func lazyValues(values []any) (out []any) {
	for _, v := range values {
		out = append(out, lazy(v))
	}
	return out
}

func TestFormatsMatchKubectl(t *testing.T) {
	all := append(objects(t), service("text", object.Of("data", object.Of(
		"lines", "one\n  two\n\nthree\n", "open", "a\nb", "long", strings.Repeat("many words ", 40), "longer", strings.Repeat("w", 300),
		"lead", "  x", "json", "{\"a\": [1, 2]}\n", "deep", object.Of("er", []any{"x\ny\n", object.Of("z", "\n\n")}), "yes", "yes", "no", "1e3", "é", "<b>&",
	))))
	for format, theirs := range map[string]func() printers.ResourcePrinter{
		"json":  func() printers.ResourcePrinter { return &printers.JSONPrinter{} },
		"yaml":  func() printers.ResourcePrinter { return &printers.YAMLPrinter{} },
		"kyaml": func() printers.ResourcePrinter { return &printers.KYAMLPrinter{} },
		"name":  func() printers.ResourcePrinter { return &printers.NamePrinter{ShortOutput: true} },
	} {
		for _, managed := range []bool{false, true} {
			oracle := func() printers.ResourcePrinter {
				if p := theirs(); managed {
					return p
				} else {
					return &printers.OmitManagedFieldsPrinter{Delegate: p}
				}
			}
			o := Options{Format: format, ShowManagedFields: managed}
			for _, v := range all {
				want, err := printedByKubectl(t, oracle(), v)
				if err != nil {
					t.Fatal(err)
				}
				if got := render(t, o, lazy(v)); got != want {
					t.Errorf("%s:\n%s\nwant\n%s", format, got, want)
				}
			}
			want, err := printedByKubectl(t, oracle(), all...)
			if err != nil {
				t.Fatal(err)
			}
			if got := render(t, o, lazyValues(all)...); got != want {
				t.Errorf("%s, a list:\n%s\nwant\n%s", format, got, want)
			}
		}
	}
}

// TestValuesMatchKubectlsEncoders checks values that don't occur in Kubernetes
// objects. It compares them with the output of the encoders in kubectl's
// printers.
func TestValuesMatchKubectlsEncoders(t *testing.T) {
	text, err := os.ReadFile("testdata/values.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		v := read(t, line, false)
		if beyond64(v) {
			continue // json.Unmarshal doesn't decode this as an integer either
		}
		want, err := json.MarshalIndent(v, "", "    ")
		if err != nil {
			t.Fatal(err)
		}
		if got := render(t, Options{Format: "json"}, v); got != safelyWritten(t, string(want)+"\n") {
			t.Errorf("json %s:\n got %q\nwant %q", line, got, want)
		}
		if hasUnsafeJSON(string(want)) {
			sameYAML(t, v, want)
			continue
		}
		if want, err = yaml.Marshal(object.ToPlain(v)); err == nil {
			if got := render(t, Options{Format: "yaml"}, v); got != string(want) {
				t.Errorf("yaml %s:\n got %q\nwant %q", line, got, want)
			}
		}
		var b bytes.Buffer
		if err := (&kyaml.Encoder{}).FromObject(object.ToPlain(v), &b); err == nil {
			if got := render(t, Options{Format: "kyaml"}, v); got != b.String() {
				t.Errorf("kyaml %s:\n got %q\nwant %q", line, got, b.String())
			}
		}
	}
}

func beyond64(v any) bool {
	switch v := v.(type) {
	case *big.Int:
		return true
	case []any:
		for _, m := range v {
			if beyond64(m) {
				return true
			}
		}
	case *object.Object:
		for _, m := range v.All() {
			if beyond64(m) {
				return true
			}
		}
	}
	return false
}

// TestYAMLCanBeRead checks that printed YAML decodes to the same value.
func TestYAMLCanBeRead(t *testing.T) {
	text, err := os.ReadFile("testdata/values.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		for _, format := range []string{"yaml", "kyaml"} {
			for _, n := range []int{1, 3} {
				v := read(t, line, false)
				printed := render(t, Options{Format: format}, []any{v, v, v}[:n]...)
				var back any
				if err := yaml.Unmarshal([]byte(printed), &back); err != nil {
					t.Errorf("%s of %s: %v\n%s", format, line, err, printed)
					continue
				}
				_, container := v.([]any)
				if _, ok := v.(*object.Object); n == 3 && (ok || container) {
					back = back.(map[string]any)["items"].([]any)[1]
				} else if n == 3 {
					back = back.([]any)[1]
				}
				a, _ := json.Marshal(back)
				b, _ := json.Marshal(object.ToPlain(read(t, line, false)))
				if !beyond64(v) && !sameJSON(a, b) {
					t.Errorf("%s of %s: read back as %s\n%s", format, line, a, printed)
				}
			}
		}
	}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return object.Unmarshal(a, &x) == nil && object.Unmarshal(b, &y) == nil && fmt.Sprint(x) == fmt.Sprint(y)
}

func TestJSONPathIsKubectls(t *testing.T) {
	all := objects(t)
	for _, template := range []string{
		"{.metadata.name}", "{.kind}/{.metadata.name}{\"\\n\"}", "{.metadata.labels}", "{.spec}", "{.spec.ports}",
		"{.spec.ports[*].port}", "{.spec.ports[0].port}", "{.spec.ports[-1:].port}", "{.spec.ports[0:1].name}", "{.spec.ports[::2].name}",
		"{range .spec.ports[*]}{.name}={.port}{\"\\n\"}{end}", "{.spec.ports[?(@.port==80)].name}", "{.spec.ports[?(@.port>=443)].name}",
		"{.spec.ports[?(@.name==\"http\")].port}", "{.spec.ports[?(@.nodePort)].port}", "{['metadata.name', 'kind']}", "{.metadata['name','namespace']}",
		"{.metadata.labels.app}", "{.metadata.nothing}", "{.nothing.at.all}", "{..port}", "{.spec..name}", "plain text", "{.metadata.name} and {.kind}",
		"{range .spec.http[*]}[{range .match[*]}{.uri.exact}{.uri.prefix},{end}]{end}", "{range .spec.nothing[*]}x{end}after", "{.spec.hosts[0]}",
		"{.spec.http[*].route[*].destination.host}", "{.spec.subsets[*].labels}", "{.spec.subsets[?(@.labels.version==\"v2\")].name}", "{.metadata.annotations}",
		"{.spec.containers[*].name}", "{.spec.containers[?(@.name!=\"istio-proxy\")].image}", "{1}{true}{2.5}", "{.spec.ports[5].port}", "{.metadata.name[0]}",
		"{.metadata[?(@.a==1)]}", "{end}", "{.status.loadBalancer}", "{.spec.clusterIPs[*]}",
	} {
		for _, format := range []string{"jsonpath", "jsonpath-as-json"} {
			for _, missing := range []bool{true, false} {
				for _, v := range all {
					p, err := printers.NewJSONPathPrinter(template)
					if err != nil {
						t.Fatal(template, err)
					}
					p.AllowMissingKeys(missing)
					p.EnableJSONOutput(format == "jsonpath-as-json")
					want, wantErr := printedByKubectl(t, p, v)
					got, err := try(Options{Format: format + "=" + template, MissingKeysFail: !missing}, lazy(v))
					if (err != nil) != (wantErr != nil) {
						t.Errorf("%s=%s: error %v, want %v", format, template, err, wantErr)
					}
					if err == nil && got != want {
						t.Errorf("%s=%s:\n got %q\nwant %q", format, template, got, want)
					}
				}
			}
		}
	}
	for _, template := range []string{
		"{.items[*].metadata.name}", "{range .items[*]}{.kind}\t{.metadata.name}{\"\\n\"}{end}", "{.items[0].kind} {.kind}", "{.items[-1:].metadata.name}",
		"{.items[?(@.kind==\"Service\")].metadata.name}", "{.items[*]['metadata.name', 'kind']}", "{range .items[?(@.kind==\"VirtualService\")]}{.spec.hosts}{end}{.kind}",
	} {
		p, err := printers.NewJSONPathPrinter(template)
		if err != nil {
			t.Fatal(err)
		}
		want, err := printedByKubectl(t, p, all...)
		if err != nil {
			t.Fatal(err)
		}
		if got := render(t, Options{Format: "jsonpath=" + template}, lazyValues(all)...); got != want {
			t.Errorf("%s:\n got %q\nwant %q", template, got, want)
		}
	}
}

func TestGoTemplateIsKubectls(t *testing.T) {
	all := objects(t)
	for _, template := range []string{
		"{{.metadata.name}}", "{{.kind}}/{{.metadata.name}}{{\"\\n\"}}", "{{range .spec.ports}}{{.name}}:{{.port}} {{end}}", "{{.spec}}", "{{.metadata.nothing}}",
		"{{if eq .kind \"Service\"}}{{.spec.clusterIP}}{{end}}", "{{exists . \"spec\" \"ports\" 0 \"port\"}}", "{{exists . \"spec\" \"ports\" 9}}", "{{exists . \"metadata\" 3}}",
		"{{base64decode \"aGVsbG8=\"}}", "{{base64decode \"!\"}}", "{{index .spec.ports 7}}", "{{with .spec.gateways}}{{index . 0}}{{end}}", "{{range $k, $v := .metadata.labels}}{{$k}}={{$v}},{{end}}",
		"{{printf \"%v\" .spec.ports}}", "{{len .metadata}}", "{{range .spec.ports}}{{if gt .port 443}}{{.port}}{{end}}{{end}}",
	} {
		for _, missing := range []bool{true, false} {
			for _, v := range all {
				p, err := printers.NewGoTemplatePrinter([]byte(template))
				if err != nil {
					t.Fatal(err)
				}
				p.AllowMissingKeys(missing)
				want, wantErr := printedByKubectl(t, p, v)
				got, err := try(Options{Template: template, MissingKeysFail: !missing}, lazy(v))
				if (err != nil) != (wantErr != nil) {
					t.Errorf("%s: error %v, want %v", template, err, wantErr)
				}
				if err == nil && got != want {
					t.Errorf("%s:\n got %q\nwant %q", template, got, want)
				}
			}
		}
	}
	template := "{{range .items}}{{.metadata.name}} {{end}}{{.kind}}"
	p, _ := printers.NewGoTemplatePrinter([]byte(template))
	want, _ := printedByKubectl(t, p, all...)
	if got := render(t, Options{Format: "go-template=" + template}, lazyValues(all)...); got != want {
		t.Errorf("a list:\n got %q\nwant %q", got, want)
	}
}

func TestUnknownFormatIsKubectls(t *testing.T) {
	format := "xml"
	err := Options{Format: format}.Validate()
	want := genericclioptions.NoCompatiblePrinterError{OutputFormat: &format, AllowedFormats: formatNames()}.Error()
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	if _, ok := err.(*UsageError); !ok {
		t.Errorf("%T", err)
	}
}

func TestNoResultIsAnEmptyList(t *testing.T) {
	want, err := printedByKubectl(t, &printers.JSONPrinter{}, listOf([]any{}))
	if err != nil {
		t.Fatal(err)
	}
	if got := render(t, Options{Format: "json"}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	want, _ = printedByKubectl(t, &printers.YAMLPrinter{}, listOf([]any{}))
	if got := render(t, Options{Format: "yaml"}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	want, _ = printedByKubectl(t, &printers.KYAMLPrinter{}, listOf([]any{}))
	if got := render(t, Options{Format: "kyaml"}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestScalarsAreAnArray(t *testing.T) {
	for format, want := range map[string]string{
		"json":  "[\n    1,\n    \"a\",\n    null\n]\n",
		"yaml":  "- 1\n- a\n- null\n",
		"kyaml": "---\n[\n  1,\n  \"a\",\n  null,\n]\n",
	} {
		if got := render(t, Options{Format: format}, 1, "a", nil); got != want {
			t.Errorf("%s: %q, want %q", format, got, want)
		}
		if got := render(t, Options{Format: format}, "a"); strings.Contains(got, "[") {
			t.Errorf("%s: one scalar is no list: %q", format, got)
		}
	}
	if got := render(t, Options{Format: "json", Compact: true}, 1, object.Of("a", 2)); got != `{"apiVersion":"v1","items":[1,{"a":2}],"kind":"List","metadata":{"resourceVersion":""}}`+"\n" {
		t.Errorf("a scalar, then an object: %s", got)
	}
	many := make([]any, 3*maxBufferedScalars)
	for i := range many {
		many[i] = i
	}
	var back []int
	if err := object.Unmarshal([]byte(render(t, Options{Format: "json"}, many...)), &back); err != nil || len(back) != len(many) {
		t.Errorf("%d scalars printed, %v", len(back), err)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{mesh.NewObject("Proxy", nil, object.Of("id", "a.default", "name", "a")), "proxy/a.default\n"},
		{mesh.NewObject("Cluster", nil, object.Of("name", "outbound|80||a")), "cluster/outbound|80||a\n"},
		{mesh.NewObject("Endpoint", nil, object.Of("address", "10.0.0.1:80")), "endpoint/10.0.0.1:80\n"},
		{mesh.NewObject("Route", nil, object.Of("match", object.New(0))), "route/<unknown>\n"},
		{object.Of("kind", "RouteConfiguration", "name", unavailablePart()), "routeconfiguration/<unknown>\n"},
	} {
		if got := render(t, Options{Format: "name"}, c.v); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if _, err := try(Options{Format: "name"}, object.Of("a", 1)); err == nil {
		t.Error("an object without kind has a name")
	}
}
