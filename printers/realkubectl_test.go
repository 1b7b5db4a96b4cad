package printers

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/object"
)

// realKubectl returns a function that runs the installed kubectl against a
// server in this process. The server's response holds items.
func realKubectl(t *testing.T, items []any) func(args ...string) string {
	t.Helper()
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("no kubectl here")
	}
	answers := object.Of(
		"/api", object.Of("kind", "APIVersions", "versions", []any{"v1"}),
		"/apis", object.Of("kind", "APIGroupList", "apiVersion", "v1", "groups", []any{}),
		"/api/v1", object.Of("kind", "APIResourceList", "groupVersion", "v1", "resources", []any{object.Of("name", "services", "singularName", "service", "namespaced", true, "kind", "Service", "verbs", []any{"get", "list"})}),
		"/api/v1/namespaces/default/services", object.Of("kind", "ServiceList", "apiVersion", "v1", "metadata", object.Of("resourceVersion", "1"), "items", items),
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers.Lookup(r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = object.Of("kind", "Status", "apiVersion", "v1", "status", "Failure", "reason", "NotFound", "code", 404)
		}
		json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	return func(args ...string) string {
		cmd := exec.Command(kubectl, append([]string{"--server", server.URL, "--cache-dir", dir, "--namespace", "default", "get", "services"}, args...)...)
		cmd.Env = []string{"HOME=" + dir, "KUBECONFIG=" + filepath.Join(dir, "none"), "PATH=" + os.Getenv("PATH")}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("kubectl %v: %v\n%s", args, err, stderr.String())
		}
		return string(out)
	}
}

func service(name string, more *object.Object) any {
	v := object.Of("apiVersion", "v1", "kind", "Service", "metadata", object.Of("name", name, "namespace", "default"))
	for k, m := range more.All() {
		v.Set(k, m)
	}
	return v
}

func TestCustomColumnsAreRealKubectls(t *testing.T) {
	items := []any{
		service("b", object.Of("n", 10, "f", 1.5, "text", "x\ty", "list", []any{1, "a", true}, "map", object.Of("k", "v", "l", 2), "size", "1Gi", "long", strings.Repeat("w", 30))),
		service("a", object.Of("n", 9, "f", 2.0, "deep", object.Of("er", []any{object.Of("x", 1), object.Of("x", 2)}), "size", "200Mi", "esc", "\x1b[31mred")),
		service("c", object.Of("f", 1e21, "bool", false, "é", "日本", "size", "3Gi", "empty", "", "none", object.New(0), "nothing", []any{})),
	}
	kubectl := realKubectl(t, items)
	columns := "NAME:.metadata.name,N:n,F:{.f},LIST:.list,EACH:.list[*],MAP:.map,K:.map.k,X:.deep.er[*].x,LAST:.deep.er[-1:].x,FIRST:.deep.er[?(@.x==1)].x,SIZE:{size},ESC:.esc,BOOL:.bool,LONG:.long,UTF:.é,EMPTY:.empty,NONE:.none,NOTHING:.nothing,MISSING:.no.such.thing,ALL:..x"
	file := filepath.Join(t.TempDir(), "columns")
	lines := "NAME  SIZE\nmetadata.name {.size}\n"
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(string) ([]byte, error) { return []byte(lines), nil }
	for _, c := range []struct {
		args []string
		o    Options
	}{
		{[]string{"-o", "custom-columns=" + columns}, Options{Format: "custom-columns=" + columns}},
		{[]string{"-o", "custom-columns=" + columns, "--no-headers"}, Options{Format: "custom-columns=" + columns, NoHeaders: true}},
		{[]string{"-o", "custom-columns-file=" + file}, Options{Format: "custom-columns-file=" + file, Open: open}},
		{[]string{"-o", "custom-columns=NAME:.metadata.name", "--sort-by", "{.metadata.name}"}, Options{Format: "custom-columns=NAME:.metadata.name", SortBy: "{.metadata.name}"}},
		{[]string{"-o", "custom-columns=NAME:.metadata.name", "--sort-by", "size"}, Options{Format: "custom-columns=NAME:.metadata.name", SortBy: "size"}},
		{[]string{"-o", "name", "--sort-by", ".n"}, Options{Format: "name", SortBy: ".n"}},
		{[]string{"-o", "jsonpath={.items[*].f}"}, Options{Format: "jsonpath={.items[*].f}"}},
		{[]string{"-o", "jsonpath={.items[*].list}{.items[0].map}"}, Options{Format: "jsonpath={.items[*].list}{.items[0].map}"}},
		{[]string{"--template", "{{range .items}}{{.f}} {{end}}"}, Options{Template: "{{range .items}}{{.f}} {{end}}"}},
		{[]string{"-o", "json"}, Options{Format: "json"}},
		{[]string{"-o", "yaml"}, Options{Format: "yaml"}},
		{[]string{"-o", "json", "--sort-by=.metadata.name"}, Options{Format: "json", SortBy: ".metadata.name"}},
	} {
		want := kubectl(c.args...)
		if got := render(t, c.o, lazyValues(items)...); got != want {
			t.Errorf("kubectl get %s:\n%s\nwant\n%s", strings.Join(c.args, " "), got, want)
		}
	}
}
