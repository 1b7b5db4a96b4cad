package matrix_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/test/unpack"
)

// A snapshot is a snapshot in a folder, from which at most one part is removed at a time.
type snapshot struct {
	name, dir string
	sample    bool // whether only some parts and questions are tried
}

// A part is a part of a snapshot that can be removed and put back.
type part struct {
	name   string
	remove func(t *testing.T) (restore func())
}

// parts returns each Kubernetes list, each answer of an istiod, each section of a proxy, each proxy's endpoints, each
// proxy and each istiod. For a sample it returns the sections of one proxy only.
func (m *snapshot) parts(t *testing.T) (all []part) {
	t.Helper()
	add := func(pattern string) {
		found, err := filepath.Glob(filepath.Join(m.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			name, err := filepath.Rel(m.dir, path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, part{name, func(t *testing.T) func() { return m.moveAway(t, path) }})
		}
	}
	of := "*"
	if m.sample {
		of = "reviews-v2-*"
	}
	add("kubernetes/*.json")
	add("pilots/*/*")
	add("pilots/*")
	add(filepath.Join("proxies", of, "*"))
	add(filepath.Join("proxies", of))
	dumps, err := filepath.Glob(filepath.Join(m.dir, "proxies", of, "config_dump.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range dumps {
		if without := withoutEndpoints(t, path); without != nil {
			all = append(all, part{filepath.Base(filepath.Dir(path)) + ": endpoints", func(t *testing.T) func() {
				whole, err := os.ReadFile(path)
				write(t, err, path, without)
				return func() { write(t, nil, path, whole) }
			}})
		}
	}
	return slices.DeleteFunc(all, func(p part) bool { return !strings.Contains(p.name, *only) })
}

// moveAway moves a file or folder out of the snapshot. The function that it returns moves it back.
func (m *snapshot) moveAway(t *testing.T, path string) func() {
	t.Helper()
	away := filepath.Join(filepath.Dir(m.dir), "away")
	if err := os.Rename(path, away); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Rename(away, path); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, err error, path string, b []byte) {
	t.Helper()
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// withoutEndpoints returns the dump at a path as Envoy would write it without include_eds. It returns nil if the dump
// has no endpoints.
func withoutEndpoints(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var dump map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&dump); err != nil {
		t.Fatal(err)
	}
	configs, _ := dump["configs"].([]any)
	left := slices.DeleteFunc(slices.Clone(configs), func(c any) bool {
		m, _ := c.(map[string]any)
		kind, _ := m["@type"].(string)
		return strings.HasSuffix(kind, "EndpointsConfigDump")
	})
	if len(left) == len(configs) {
		return nil
	}
	dump["configs"] = left
	if b, err = json.Marshal(dump); err != nil {
		t.Fatal(err)
	}
	return b
}

func unpackDemo(t *testing.T, dir string) {
	t.Helper()
	if err := unpack.Demo(dir, func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
}
