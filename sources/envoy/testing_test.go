package envoy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// when is the instant at which the captures were taken.
var when = time.Date(2026, 11, 22, 13, 3, 0, 0, time.UTC)

type fileBytes struct{ *bytes.Reader }

// body makes a document of bytes.
func body(name string, b []byte) *decode.Document {
	return &decode.Document{Bytes: fileBytes{bytes.NewReader(b)}, Name: name}
}

// folder serves a proxy's answers from files, each read once.
func folder(t testing.TB, dir string, files map[string]string) Fetch {
	docs := map[string]*decode.Document{}
	for request, file := range files {
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		docs[request] = body(file, b)
	}
	return func(_ context.Context, request string) (*decode.Document, error) {
		if d := docs[request]; d != nil {
			return d, nil
		}
		return nil, fmt.Errorf("%s: not in the snapshot: %w", request, fs.ErrNotExist)
	}
}

// section reads a section with nothing lazy left in it.
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
	v, err = mesh.Deep(t.Context(), v)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

// raw reads a file with encoding/json.
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
	return v
}
