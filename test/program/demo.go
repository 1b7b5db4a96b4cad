package program

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/unpack"
)

// Victim is the proxy of the demo whose config dump tests replace or remove.
const Victim = "reviews-v1-7f99cc4496-gdxfn.default"

// SnapshotWith unpacks the demo into a directory and replaces one proxy's
// config dump.
func SnapshotWith(t *testing.T, dump string) string {
	t.Helper()
	dir := t.TempDir()
	err := unpack.Demo(dir, func(name string) bool {
		return !strings.HasSuffix(name, "stats.json") && !strings.HasSuffix(name, "server_info.json")
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "proxies", Victim, "config_dump.json"), []byte(dump), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Poisoned writes the demo into a directory, with poison appended to every
// string that isn't needed to read the demo. Types, enums, times and addresses
// are needed.
func Poisoned(t *testing.T, poison string) string {
	t.Helper()
	return RewrittenDemo(t, nil, func(name string, v any) any {
		return poisonValue(v, "", poison, strings.HasPrefix(name, "kubernetes/"))
	})
}

// RewrittenDemo writes the demo into a directory. It passes each JSON file
// except the manifest through rewrite; name is the file's, such as
// "kubernetes/pods.json". Files whose names end in an element of omit are left
// out.
func RewrittenDemo(t *testing.T, omit []string, rewrite func(name string, v any) any) string {
	t.Helper()
	dir := t.TempDir()
	err := unpack.Demo(dir, func(name string) bool {
		return !slices.ContainsFunc(omit, func(end string) bool { return strings.HasSuffix(name, end) })
	})
	if err != nil {
		t.Fatal(err)
	}
	root := os.DirFS(dir)
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".json" || name == "manifest.json" {
			return err
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		var v any
		if dec.Decode(&v) != nil {
			return nil // some recorded responses are empty
		}
		if text, err = json.Marshal(rewrite(name, v)); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func poisonValue(v any, under, poison string, objects bool) any {
	switch v := v.(type) {
	case string:
		switch under {
		case "@type", "type_url", "typeUrl", "id", "kind", "apiVersion", "proxy", "type", "code":
			return v
		}
		if len(v) > 600 || neededText.MatchString(v) {
			return v
		}
		return v + poison
	case []any:
		for i := range v {
			v[i] = poisonValue(v[i], under, poison, objects)
		}
	case map[string]any:
		out := map[string]any{}
		for key, w := range v {
			if objects && under == "metadata" && (key == "name" || key == "namespace") { // the names that objects are looked up by
				out[key] = w
				continue
			}
			w = poisonValue(w, key, poison, objects)
			if strings.EqualFold(under, "labels") || strings.EqualFold(under, "annotations") {
				key += poison
			}
			out[key] = w
		}
		return out
	}
	return v
}

// neededText matches the strings without which the demo can't be read.
var neededText = regexp.MustCompile(`^[A-Z_0-9]*$|^\d{4}-\d\d-\d\dT|^[0-9a-fA-F:.]+(/\d+)?(:\d+)?$|^type\.googleapis|^[^~]{0,40}~|^[\d.]+s$`)
