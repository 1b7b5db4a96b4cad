package printers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// covered reports whether a loaded path is a field, contains one or is inside
// one.
func covered(path string, fields []string) bool {
	return slices.ContainsFunc(fields, func(f string) bool {
		return f == path || strings.HasPrefix(f, path+".") || strings.HasPrefix(path, f+".")
	})
}

// TestTablesLoadTheirFields checks that a row loads the fields that its columns
// declare, and nothing else.
func TestTablesLoadTheirFields(t *testing.T) {
	kinds := map[string]columns.Kind{}
	for _, k := range columns.Kinds() {
		kinds[k.Group+"/"+k.Name] = k
	}
	seen := map[string]bool{}
	for name, all := range tableCases(t) {
		for _, s := range all {
			if name == "flat" || name == "mixed" || s.title != "" && s.title != "all" && s.title != "connections" && !strings.HasPrefix(s.title, "gateways") {
				continue
			}
			for _, v := range s.values {
				for _, wide := range []bool{false, true} {
					seen[checkFields(t, kinds, v, wide)] = true
				}
			}
		}
	}
	for _, k := range []string{"/Proxy", "/Pilot", "/Cluster", "/Listener", "/RouteConfiguration", "/Endpoint", "/Secret", "/ExtensionConfig", "/Workload", "/Connection", "/Service", "networking.istio.io/VirtualService"} {
		if !seen[k] {
			t.Errorf("no %s was checked", k)
		}
	}
}

func checkFields(t *testing.T, kinds map[string]columns.Kind, v any, wide bool) string {
	t.Helper()
	o, ok := v.(*mesh.Object)
	if !ok {
		o = mesh.NewObject(fmt.Sprint(memberAt(v, "kind")), nil, v.(*object.Object))
	}
	fields := plainOf(t, o)
	version, _ := fields.Get("apiVersion").(string)
	key := columns.GroupOf(version) + "/" + o.Kind
	k, ok := kinds[key]
	if !ok {
		k = columns.Other()
	}
	allowed := []string{"kind", "apiVersion"}
	for _, c := range k.Columns {
		if !c.Wide || wide {
			allowed = append(allowed, c.Fields...)
		}
		if wide {
			allowed = append(allowed, c.WideFields...)
		}
	}
	w := &loadLog{}
	o2 := Options{}
	if wide {
		o2.Format = "wide"
	}
	hidden := lazyCopy(w, "", fields).(*object.Object)
	hidden.Set("kind", o.Kind)
	render(t, o2, hidden)
	loaded := w.paths()
	for _, path := range loaded {
		if !covered(path, allowed) {
			t.Errorf("%s (wide: %v) loads %s, which is no field of its columns", key, wide, path)
		}
	}
	if len(loaded) == 0 {
		t.Errorf("%s: nothing was loaded", key)
	}
	return key
}

func TestEndpointsAskForOutliersOnlyWhenWide(t *testing.T) {
	for format, want := range map[string]bool{"": false, "wide": true} {
		w := &loadLog{}
		v := mesh.NewObject("Endpoint", nil, object.Of("address", "10.0.0.1:80", "outlier", &fake{watch: w, path: "outlier", v: "OK", pending: true}))
		render(t, Options{Format: format}, v)
		if got := len(w.paths()) > 0; got != want {
			t.Errorf("-o %q asked: %v", format, got)
		}
	}
}

// document returns a value in which every member is lazy.
func document(w *loadLog) any {
	return lazyCopy(w, "", object.Of(
		"kind", "Proxy", "name", "a", "big", []any{object.Of("x", 1), object.Of("x", 2)},
		"list", []any{
			object.Of("name", "one", "port", 80, "more", "m"),
			object.Of("name", "two", "port", 443, "more", "n"),
		},
		"meta", object.Of("labels", object.Of("app", "x", "tier", "y"), "uid", "u"),
	))
}

func TestPathsLoadWhatTheyName(t *testing.T) {
	for _, c := range []struct{ path, want, loaded string }{
		{".name", "a", "name"},
		{".meta.labels.app", "x", "meta meta.labels meta.labels.app"},
		{".list[1].name", "two", "list list.name"},
		{".list[*].name", "one,two", "list list.name"},
		{".list[?(@.port==443)].name", "two", "list list.name list.port"},
		{".list[?(@.nothing)].name", "<none>", "list"},
		{".nothing.at.all", "<none>", ""},
		{".meta.labels.*", "x,y", "meta meta.labels meta.labels.app meta.labels.tier"},
		{".list[0:1].port", "80", "list list.port"},
	} {
		w := &loadLog{}
		got := render(t, Options{Format: "custom-columns=X:" + c.path, NoHeaders: true}, document(w))
		if got != c.want+"\n" {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
		if loaded := strings.Join(w.paths(), " "); loaded != c.loaded {
			t.Errorf("custom-columns %s loads %s, want %s", c.path, loaded, c.loaded)
		}
		w = &loadLog{}
		got = render(t, Options{Format: "jsonpath={" + c.path + "}"}, document(w))
		if want := strings.ReplaceAll(strings.ReplaceAll(c.want, ",", " "), "<none>", ""); got != want {
			t.Errorf("jsonpath %s: %q, want %q", c.path, got, want)
		}
		if loaded := strings.Join(w.paths(), " "); loaded != c.loaded {
			t.Errorf("jsonpath %s loads %s, want %s", c.path, loaded, c.loaded)
		}
	}
	w := &loadLog{}
	render(t, Options{Format: "name", SortBy: ".meta.uid"}, document(w))
	if loaded := strings.Join(w.paths(), " "); loaded != "kind meta meta.uid name" {
		t.Errorf("-o name --sort-by .meta.uid loads %s", loaded)
	}
}

// TestIndexLoadsOneElement checks that an index in a path loads only the
// element it names.
func TestIndexLoadsOneElement(t *testing.T) {
	w := &loadLog{}
	items := make([]any, 5)
	for i := range items {
		items[i] = &fake{watch: w, path: fmt.Sprint(i), v: object.Of("n", i)}
	}
	if got := render(t, Options{Format: "jsonpath={.a[-2].n}"}, object.Of("a", items)); got != "3" {
		t.Errorf("%q", got)
	}
	if got := w.paths(); !slices.Equal(got, []string{"3"}) {
		t.Errorf("loaded %v", got)
	}
}

func TestGoTemplatesLoadTheWholeValue(t *testing.T) {
	w := &loadLog{}
	if got := render(t, Options{Template: "{{.name}}"}, document(w)); got != "a" {
		t.Errorf("%q", got)
	}
	if got := len(w.paths()); got != 13 {
		t.Errorf("%d paths loaded: %v", got, w.paths())
	}
}

func TestUnavailablePartsAreNull(t *testing.T) {
	v := func() any {
		return mesh.NewObject("Proxy", nil, object.Of("id", "a", "clusters", unavailablePart(), "list", []any{unavailablePart(), 1}, "cds", unavailablePart()))
	}
	for format, want := range map[string]string{
		"json": `{"cds":null,"clusters":null,"id":"a","kind":"Proxy","list":[null,1]}`,
		"yaml": "cds: null\nclusters: null\nid: a\nkind: Proxy\nlist:\n- null\n- 1",
		"custom-columns=A:.clusters[*].x,B:.id,C:.list": "<unknown>   a     [<nil> 1]",
		"jsonpath={.clusters}|{.list}|{.id}":            "null|[null,1]|a",
		"go-template={{.clusters}} {{.id}}":             "<no value> a",
	} {
		got := render(t, Options{Format: format, Compact: format == "json", NoHeaders: true}, v())
		if strings.TrimSpace(got) != want {
			t.Errorf("%s:\n%q\nwant\n%q", format, got, want)
		}
	}
	if got := render(t, Options{Compact: true}, v()); got != `{"kind":"Proxy","id":"a","clusters":null,"list":[null,1],"cds":null}`+"\n" {
		t.Errorf("jq's stream: %q", got)
	}
	if got := render(t, Options{NoHeaders: true}, v()); !strings.HasPrefix(got, "a     <unknown>   <none>   ") {
		t.Errorf("a table: %q", got)
	}
}

// TestUnavailableResultsAreFaults checks that an unavailable result is an
// error, its fault, in every format.
func TestUnavailableResultsAreFaults(t *testing.T) {
	formats := append(formatNames(), "")
	for _, format := range formats {
		o := Options{Format: format, Open: func(string) ([]byte, error) { return []byte("A\n.a\n"), nil }}
		switch {
		case strings.HasPrefix(format, "custom-columns"):
			o.Template = "A:.a"
		case takesTemplate(format):
			o.Template = "x"
		}
		for _, sortBy := range []string{"", ".a"} {
			o.SortBy = sortBy
			var fault *mesh.Fault
			if _, err := try(o, unavailablePart()); !errors.As(err, &fault) {
				t.Errorf("-o %s: error %v, want a fault", format, err)
			}
		}
	}
}

func TestOtherErrorsEndARendering(t *testing.T) {
	bad := errors.New("out of memory")
	v := object.Of("a", &fake{watch: &loadLog{}, err: bad}, "kind", "Policy", "name", &fake{watch: &loadLog{}, err: bad})
	for _, format := range []string{"", "json", "ndjson", "yaml", "kyaml", "name", "table", "jsonpath={.a}", "custom-columns=A:.a", "go-template={{.a}}"} {
		if _, err := try(Options{Format: format}, v); !errors.Is(err, bad) {
			t.Errorf("-o %s: error %v", format, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, format := range []string{"", "json", "jsonpath={.items[*].a}"} {
		p, err := New(Options{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Render(ctx, object.Of("a", &fake{watch: &loadLog{}, v: 1})); !errors.Is(err, context.Canceled) {
			t.Errorf("-o %s: error %v after the end", format, err)
		}
	}
}

func TestWholeValuesAreLoadedAtOnce(t *testing.T) {
	w := &loadLog{}
	v := &wholeFake{fake{watch: w, path: "whole", v: lazyCopy(w, "whole", object.Of("a", []any{1, 2}))}}
	if got := render(t, Options{Compact: true}, object.Of("x", v)); got != `{"x":{"a":[1,2]}}`+"\n" {
		t.Errorf("%q", got)
	}
}

// TestEncodingPrefetchesMembers checks that the parts of a large value are
// loaded several at a time.
func TestEncodingPrefetchesMembers(t *testing.T) {
	var running, most atomic.Int32
	gather := make(chan struct{})
	var once sync.Once
	section := func(n int) any {
		return &lazyOnce{f: func() (any, error) {
			if r := running.Add(1); r > most.Load() {
				most.Store(r)
			}
			if running.Load() >= 4 {
				once.Do(func() { close(gather) })
			}
			<-gather
			running.Add(-1)
			return n, nil
		}}
	}
	proxies := make([]any, 20)
	for i := range proxies {
		proxies[i] = mesh.NewObject("Proxy", nil, object.Of("clusters", section(i)))
	}
	got := render(t, Options{Format: "json", Compact: true}, proxies)
	if !strings.HasPrefix(got, `[{"clusters":0,"kind":"Proxy"},{"clusters":1,`) || most.Load() < 4 || most.Load() > 9 {
		t.Errorf("%d at once: %s", most.Load(), got)
	}
}

// A lazyOnce is a lazy value that is loaded once, even if several goroutines force
// it.
type lazyOnce struct {
	once sync.Once
	done atomic.Bool
	f    func() (any, error)
	v    any
	err  error
}

func (s *lazyOnce) Force(context.Context) (any, error) {
	s.once.Do(func() { s.v, s.err = s.f(); s.done.Store(true) })
	return s.v, s.err
}

func (s *lazyOnce) Forced() (any, bool) {
	if s.done.Load() {
		return s.v, true
	}
	return nil, false
}

func (s *lazyOnce) Pending() bool { return !s.done.Load() }

// TestRenderInParallel checks in every format that several goroutines may call
// Render at once.
func TestRenderInParallel(t *testing.T) {
	for _, format := range []string{"", "wide", "table", "json", "ndjson", "yaml", "kyaml", "name", "jsonpath={.metadata.name} {range .spec.ports[*]}{.port}{end}", "jsonpath={.items[*].metadata.name}", "go-template={{.kind}} ", "custom-columns=N:.metadata.name"} {
		for _, sortBy := range []string{"", ".metadata.name"} {
			o := Options{Format: format, SortBy: sortBy, Now: now()}
			values := objects(t)
			want := render(t, o, values...)
			var b strings.Builder
			o.Out = &b
			p, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			rendered := make([]any, len(values))
			var group sync.WaitGroup
			for i, v := range values {
				group.Go(func() {
					var err error
					if rendered[i], err = p.Render(t.Context(), lazy(v)); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			for _, r := range rendered {
				if err := p.Print(r); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if b.String() != want {
				t.Errorf("-o %s:\n%s\nwant\n%s", format, b.String(), want)
			}
		}
	}
}
