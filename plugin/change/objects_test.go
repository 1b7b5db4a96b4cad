package change

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const two = `# a comment
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {ports: [{port: 4294967295}]}
---
# nothing
---
{"apiVersion": "v1", "kind": "List", "items": [{"kind": "Service", "metadata": {"name": "b"}}, {"kind": "Gateway", "metadata": {"name": "c"}}]}
`

func names(all []map[string]any) (out []string) {
	for _, o := range all {
		m, _ := o["metadata"].(map[string]any)
		name, _ := m["name"].(string)
		out = append(out, name)
	}
	return out
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": two, "b.json": `{"kind":"Service","metadata":{"name":"d"}} {"kind":"Service","metadata":{"name":"e"}}`, "c.txt": "kind: Service\n", "z.yml": "kind: Service\nmetadata: {name: f}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		paths []string
		want  []string
	}{
		{[]string{filepath.Join(dir, "a.yaml")}, []string{"a", "b", "c"}},
		{[]string{dir}, []string{"a", "b", "c", "d", "e", "f"}},
		{[]string{filepath.Join(dir, "z.yml"), "-"}, []string{"f", "s"}},
	} {
		got, err := Read(t.Context(), strings.NewReader("kind: Service\nmetadata: {name: s}\n"), c.paths)
		if diff := cmp.Diff(c.want, names(got)); err != nil || diff != "" {
			t.Errorf("%v: %v\n%s", c.paths, err, diff)
		}
	}
	all, err := Decode([]byte(two))
	if err != nil {
		t.Fatal(err)
	}
	spec := all[0]["spec"].(map[string]any)
	if n := spec["ports"].([]any)[0].(map[string]any)["port"]; n != json.Number("4294967295") {
		t.Errorf("%v", n)
	}
}

func TestReadBad(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty.yaml": "---\n# nothing\n", "list.yaml": "- a\n", "text.yaml": "just text\n", "broken.yaml": "a: [\n"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(t.Context(), strings.NewReader(""), []string{path}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(t.Context(), strings.NewReader(""), []string{filepath.Join(dir, "none.yaml")}); err == nil {
		t.Error("a file that isn't there is read")
	}
}
