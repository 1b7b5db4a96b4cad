package complete_test

import (
	"context"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/complete"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// watched is the recorded mesh that is part of the plugin. After a query has run, it
// returns the fields in the query that no object of the mesh has.
type watched struct {
	t     *testing.T
	mesh  *sources.Mesh
	hints *sources.Vocabulary
}

func openDemo(t *testing.T) *watched { return openNamed(t, "demo") }

func openNamed(t *testing.T, name string) *watched {
	t.Helper()
	archive, ok := demo.Named(name)
	if !ok {
		t.Fatalf("no recorded mesh %s", name)
	}
	from, err := transport.OpenBytes(t.Context(), name, archive, transport.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sources.Open(t.Context(), sources.Options{Sources: []transport.Source{from}, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return &watched{t, m, sources.NewVocabulary(nil)}
}

// run runs a query on the recorded mesh. Every value that the query passes to the builtin
// debug is passed to the callback each, until the callback returns false.
func (w *watched) run(text string, vars []string, each func(any) bool, note func(string)) error {
	o := query.Options{Variables: vars, FieldHint: w.hints.Hint}
	o.Doors.Desired = func(ctx context.Context, p *mesh.Object) (*mesh.Object, error) { return w.mesh.Desired(ctx, p) }
	o.Doors.Document = func() any { return w.mesh.Document() }
	p, err := query.Compile(text, o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	enough := false
	err = p.Run(ctx, w.mesh.Document(), make([]any, len(vars)), eval.RunOptions{Note: note, Debug: func(v any) {
		if !enough && !each(v) {
			enough = true
			cancel()
		}
	}}, func(any) error { return nil })
	if enough {
		return nil
	}
	return err
}

// examples returns the queries that users can see: those in the README and in the help,
// and the saved queries that are part of the plugin.
func examples(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range regexp.MustCompile(`(?m)^\$ kubectl meshq [^'\n]*'([^'\n]+)'`).FindAllStringSubmatch(string(text), -1) {
		if _, err := syntax.Parse("", line[1]); err == nil { // any other line contains the name of a saved query
			all[line[1]] = nil
		}
	}
	for _, f := range library.Functions() {
		for _, e := range f.Examples {
			all[strings.TrimSpace(e)] = nil
		}
	}
	for _, q := range shipped.All() {
		if q.Name == "check" { // the other saved checks contain the queries of "check"
			continue
		}
		vars := []string{}
		for _, a := range q.Args {
			vars = append(vars, "$"+a.Variable())
		}
		if q.Words != "" {
			vars = append(vars, "$words")
		}
		text := q.Text
		if q.OfProxy { // whether the query's input is a proxy
			text = ".proxies[] | " + text
		}
		all[text] = vars
	}
	return all
}

// TestExamplesOfferTheirContinuation completes every prefix of every example.
// complete.Query must always return without a panic. If the example continues with a
// field or a function, that must be one of the candidates, in one of the recorded
// meshes. Where a saved query finds nothing in either mesh, nothing can be offered.
func TestExamplesOfferTheirContinuation(t *testing.T) {
	meshes := []*watched{openDemo(t), openNamed(t, "demo-ambient")}
	all := examples(t)
	if len(all) < 80 {
		t.Fatalf("%d examples", len(all))
	}
	saved := map[string]bool{}
	for _, q := range shipped.All() {
		saved[q.Text] = true
	}
	prefixes, fields, empty := 0, 0, 0
	for _, src := range slices.Sorted(maps.Keys(all)) {
		o := options()
		o.Variables = append(o.Variables, all[src]...)
		for i := range len(src) {
			if len(src) < 400 || i%7 == 0 {
				prefixes++
				if r := complete.Query(src[:i], o); r.From < 0 || r.From > i {
					t.Fatalf("%q: from %d", src[:i], r.From)
				}
			}
		}
		if strings.Contains(src, "def ") || strings.Contains(src, ".clustr") {
			// queries that define functions, whose parameters are unknown, and a query
			// that has an error on purpose
			continue
		}
		words, _ := syntax.Words(src)
		for _, word := range words {
			if at := word.Start + 1; word.Kind == syntax.WordField && word.Text != "" {
				var all []string
				isOffered := slices.ContainsFunc(meshes, func(w *watched) bool {
					o.Look = func(text string, each func(any) bool) { _ = w.run(text, o.Variables, each, nil) }
					got := offered(src[:at], o)
					all = append(all, got...)
					return slices.Contains(got, word.Text) || slices.Contains(got, `"`+word.Text+`"`) || isMethod(got, word.Text)
				})
				fields++
				if len(all) == 0 && saved[strings.TrimPrefix(src, ".proxies[] | ")] {
					empty++
				} else if !isOffered {
					t.Errorf("%s: %s is not offered, but %.200q", src[max(0, at-150):at], word.Text, all)
				}
			}
		}
	}
	t.Logf("%d examples, %d beginnings, %d fields, of which %d are of nothing", len(all), prefixes, fields, empty)
	if empty > 15 {
		t.Errorf("%d fields are of nothing", empty)
	}
	if fields-empty < 250 {
		t.Errorf("%d fields", fields)
	}
}

func isMethod(got []string, name string) bool {
	return slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(strings.TrimPrefix(s, "."), name+"(") })
}

// TestFieldsAgreeWithTheMesh completes a field at each position in the examples at which
// a field may follow. The candidates must be exactly the fields that the recorded mesh's
// objects have at that position.
func TestFieldsAgreeWithTheMesh(t *testing.T) {
	w := openDemo(t)
	places := map[string]bool{}
	all := examples(t)
	for _, src := range slices.Sorted(maps.Keys(all)) {
		o := options()
		o.Variables = append(o.Variables, all[src]...)
		words, _ := syntax.Words(src)
		for _, word := range words {
			if word.Kind != syntax.WordField || len(src) > 400 || places[src[:word.Start+1]] {
				continue
			}
			at := src[:word.Start+1]
			places[at] = true
			w.compare(at, o)
		}
	}
	if len(places) < 60 {
		t.Errorf("%d places", len(places))
	}
}

func (w *watched) compare(at string, o complete.Options) {
	t := w.t
	r := complete.Query(at, o) // Look is nil, so that only the schema is used
	var names []string
	for _, c := range r.Candidates {
		if regexp.MustCompile(`^[A-Za-z_]\w*$`).MatchString(c.Text) {
			names = append(names, c.Text)
		}
	}
	if len(names) == 0 || strings.Contains(at, ".routesTo(") || complete.Ambiguous(at) {
		// Skip positions for which the schema has no fields or the mesh has no objects,
		// and calls that may refer to two functions.
		return
	}
	kinds := map[any]bool{}
	w.look(at, "objects | (.kind, keys)", o, func(v any) {
		keys, isKeys := v.([]any)
		if !isKeys {
			kinds[v] = true
		}
		for _, k := range keys {
			if k := k.(string); !slices.Contains(names, k) && !strings.HasPrefix(k, "@") && !strings.ContainsAny(k, "./-") {
				t.Errorf("%s: %s is there and not offered", at, k)
			}
		}
	}, nil)
	lacking := map[string]int{}
	w.look(at, "objects | [."+strings.Join(names, ", .")+"] | length", o, func(any) {}, func(note string) {
		if _, field, ok := strings.Cut(note, " has no field "); ok {
			lacking[strings.Split(field, ";")[0]]++
		}
	})
	for field, n := range lacking {
		if n == len(kinds) {
			t.Errorf("%s: no %v has %s", at, slices.Collect(maps.Keys(kinds)), field)
		}
	}
}

func (w *watched) look(at, what string, o complete.Options, each func(any), note func(string)) {
	probe := complete.Probe(at, what)
	err := w.run(probe, o.Variables, func(m any) bool {
		for _, v := range m.([]any)[1:] {
			each(v)
		}
		return true
	}, note)
	if err != nil {
		w.t.Errorf("%s: %v", probe, err)
	}
}
