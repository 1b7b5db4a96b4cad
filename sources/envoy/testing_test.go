package envoy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// when is the time at which the captured answers were recorded.
var when = time.Date(2026, 11, 22, 13, 3, 0, 0, time.UTC)

type fileBytes struct{ *bytes.Reader }

// body returns a document with the given name and bytes.
func body(name string, b []byte) *decode.Document {
	return &decode.Document{Bytes: fileBytes{bytes.NewReader(b)}, Name: name}
}

// folder returns a Fetch that serves a proxy's answers from files. Each file is
// read once.
func folder(t testing.TB, dir string, files map[string]string) Fetch {
	docs := map[string]*decode.Document{}
	for request, file := range files {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		docs[request] = body(file, b)
	}
	return func(_ context.Context, request Request) (*decode.Document, error) {
		if d := docs[request.What]; d != nil {
			return d, nil
		}
		return nil, fmt.Errorf("%s: not in the snapshot: %w", request.What, fs.ErrNotExist)
	}
}

// section returns the elements of a section with all lazy values loaded.
func section(t testing.TB, p *Proxy, s mesh.Section) []any {
	t.Helper()
	a, ok := whole(t, p, s).([]any)
	if !ok {
		t.Fatalf("%s: no array", s)
	}
	return a
}

func whole(t testing.TB, p *Proxy, s mesh.Section) any {
	t.Helper()
	v, err := p.Section(t.Context(), s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	if s == mesh.Endpoints {
		v = readable(t, v)
	}
	v, err = mesh.Deep(t.Context(), v)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

// readable returns endpoints without the metadata fields that could not be
// loaded. /clusters doesn't contain all endpoints.
func readable(t testing.TB, rows any) any {
	t.Helper()
	out := []any{}
	for _, row := range rows.([]any) {
		v, err := mesh.Force(t.Context(), row)
		if err != nil {
			t.Fatal(err)
		}
		fields := v.(*object.Object).Clone()
		var unread *mesh.Fault
		if _, err := mesh.Force(t.Context(), fields.Get("metadata")); errors.As(err, &unread) {
			fields.Set("metadata", nil)
		}
		out = append(out, fields)
	}
	return out
}

// raw parses a file with encoding/json.
func raw(t testing.TB, path string) any {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return object.FromPlain(v)
}

// dig returns all values at a path. A "*" in the path selects every element of an
// array. A name is tried both in snake_case and in lowerCamelCase.
func dig(v any, path string) []any {
	all := []any{v}
	for step := range strings.SplitSeq(path, ".") {
		var next []any
		for _, v := range all {
			switch x := v.(type) {
			case []any:
				if step == "*" {
					next = append(next, x...)
				}
			case *object.Object:
				for _, key := range slices.Compact([]string{step, camelByHand(step)}) {
					if w, ok := x.Lookup(key); ok {
						next = append(next, w)
					}
				}
			}
		}
		all = next
	}
	return all
}

// one returns the first value at a path as a string, or "-" if there is no
// value.
func one(v any, path string) string {
	if all := dig(v, path); len(all) > 0 && all[0] != nil {
		return fmt.Sprint(object.ToPlain(all[0]))
	}
	return "-"
}

func camelByHand(s string) string {
	return regexp.MustCompile("_[a-z]").ReplaceAllStringFunc(s, func(m string) string { return strings.ToUpper(m[1:]) })
}

// table returns one line for each row of a section, with some of its fields. A
// missing field is "-".
func table(rows []any, fields ...string) []string {
	var out []string
	for _, r := range rows {
		var cells []string
		for _, f := range fields {
			cells = append(cells, one(r, f))
		}
		out = append(out, strings.Join(cells, " "))
	}
	return out
}

// equal checks that two tables are equal, line by line.
func equal(t testing.TB, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", want[i])
		case i >= len(want):
			t.Errorf("too much: %s", got[i])
		case got[i] != want[i]:
			t.Errorf("row %d:\n got %s\nwant %s", i, got[i], want[i])
		}
	}
}

// upToSeconds cuts the fraction of a second from a time in a dump.
func upToSeconds(s string) string {
	return regexp.MustCompile(`\.[0-9]+Z$`).ReplaceAllString(s, "Z")
}

// captured returns the directories of the proxies to test with: those in
// testdata, and those of the shared captures if they exist.
func captured(t testing.TB) (dirs []string) {
	t.Helper()
	dirs = []string{"testdata/reviews-v2", "testdata/ratings-v1", "testdata/gateway"}
	more, _ := filepath.Glob("../../../shared/captures/*/proxies/*")
	for _, dir := range more {
		if !strings.HasPrefix(filepath.Base(dir), "ztunnel-") {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// open returns the reader of a captured proxy.
func open(t testing.TB, dir string) *Proxy {
	files := map[string]string{}
	for request, file := range map[string]string{
		configDump: "config_dump.json", clusters: "clusters.json", serverInfo: "server_info.json", statistics: "stats.json", logging: "logging.txt",
	} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			files[request] = file
		}
	}
	return NewProxy(mesh.NewObject("Proxy", nil, object.Of("id", filepath.Base(dir))), folder(t, dir, files), when)
}
