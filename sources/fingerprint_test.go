package sources

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// TestFingerprint checks that the fingerprint is equal for responses with the same
// content, and different if a proxy, its state or its pod has changed.
func TestFingerprint(t *testing.T) {
	syncz := filepath.Join("pilots", thePilot, "syncz.json")
	pods := filepath.Join("kubernetes", "pods.json")
	edit := func(name string, change func(any)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, name)
			v := parsed[any](t, path)
			change(v)
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, name, string(b))
		}
	}
	items := func(v any) []any { return v.(*object.Object).Get("items").([]any) }
	meta := func(v any) *object.Object { return items(v)[0].(*object.Object).Get("metadata").(*object.Object) }
	first := func(v any) *object.Object {
		for _, r := range v.([]any)[0].(*object.Object).Get("resources").(*object.Object).All() {
			return r.(*object.Object)
		}
		return nil
	}
	remove := func(names ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			for _, name := range names {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	of := func(t *testing.T, change func(*testing.T, string)) string {
		dir := copied(t)
		change(t, dir)
		c := source(t, dir)
		m := open(t, Options{}, c)
		word, err := m.Fingerprint(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(c.log(), func(s string) bool { return s != "pilot syncz" && s != "list pods" }) {
			t.Errorf("asked for %v", c.log())
		}
		if len(at(t, m.Document(), "proxies").([]any)) > 0 && strings.Contains(strings.Join(c.log(), " "), "again") {
			t.Errorf("asked twice: %v", c.log())
		}
		return word
	}
	plain := of(t, func(*testing.T, string) {})
	for name, c := range map[string]struct {
		change func(*testing.T, string)
		same   bool
	}{
		"as it was":       {func(*testing.T, string) {}, true},
		"another order":   {edit(syncz, func(v any) { slices.Reverse(v.([]any)) }), true},
		"pods' order":     {edit(pods, func(v any) { slices.Reverse(items(v)) }), true},
		"managed fields":  {edit(pods, func(v any) { meta(v).Set("managedFields", []any{1}); meta(v).Set("resourceVersion", "99") }), true},
		"acked":           {edit(syncz, func(v any) { first(v).Set("acked", "x") }), false},
		"an error":        {edit(syncz, func(v any) { first(v).Set("lastError", "x") }), false},
		"a label":         {edit(pods, func(v any) { meta(v).Set("labels", object.Of("a", "b")) }), false},
		"a pod less":      {edit(pods, func(v any) { v.(*object.Object).Set("items", items(v)[1:]) }), false},
		"no pods":         {remove(pods), false},
		"no istiod spoke": {remove(syncz), false},
	} {
		if got := of(t, c.change); (got == plain) != c.same || got == "" {
			t.Errorf("%s: %s, before %s", name, got, plain)
		}
	}
	if got := of(t, remove(pods, syncz)); got != "" {
		t.Errorf("nothing tells of changes: %s", got)
	}
}

// A broken source fails all requests to istiod and to the API server.
type broken struct{ transport.Source }

func (broken) Pilot(context.Context, string, string) (*transport.Body, error) {
	return nil, errors.New("connection refused")
}

func (broken) List(context.Context, string) (*transport.Body, error) {
	return nil, errors.New("connection refused")
}

func TestFingerprintOfNothing(t *testing.T) {
	var none *inventory.UnreadableError
	m := open(t, Options{}, &counted{Source: broken{source(t, capture)}})
	if word, err := m.Fingerprint(t.Context(), true); !errors.As(err, &none) || word != "" {
		t.Errorf("%q %v", word, err)
	}
}

// A keeper is a source that records whether it was closed, and how often it dropped
// its cached responses.
type keeper struct {
	transport.Source
	closed bool
	forgot int
}

func (k *keeper) Close() error { k.closed = true; return k.Source.Close() }
func (k *keeper) Forget()      { k.forgot++ }

// TestKeep checks that closing a mesh with Options.Keep leaves the sources open and
// drops their cached responses.
func TestKeep(t *testing.T) {
	for _, keep := range []bool{false, true} {
		k := &keeper{Source: source(t, capture)}
		for round := range 2 {
			if round > 0 && !keep {
				break
			}
			m, err := Open(t.Context(), Options{Sources: []transport.Source{k}, Keep: keep})
			if err != nil {
				t.Fatal(err)
			}
			if all, _ := proxies(t, m); len(all) == 0 {
				t.Error("no proxies")
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
			if k.closed == keep || keep != (k.forgot == round+1) {
				t.Errorf("keep %t: closed %t, forgot %d", keep, k.closed, k.forgot)
			}
		}
	}
}
