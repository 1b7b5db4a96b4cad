package matrix_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var (
	full = flag.Bool("full", false, "every part, every question, and the captures where they are; otherwise a sample")
	only = flag.String("part", "", "only parts whose name contains this")
)

// TestMatrix asks every question about a mesh with one part removed, and compares the answers with those about the
// whole mesh:
//
//   - nothing new appears;   - whatever is missing is reported as unknown: by a finding of the same check for the same
//
// proxy, or for the whole mesh;   - the exit code is neither 0 nor 1 if the answer differs.
func TestMatrix(t *testing.T) {
	for _, m := range meshes(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			questions := m.questions(t)
			before := m.ask(t, questions...)
			runs := 0
			for _, p := range m.parts(t) {
				restore := p.remove(t)
				for i, a := range m.ask(t, questions...) {
					runs++
					for _, wrong := range questions[i].compare(before[i], a) {
						t.Errorf("without %s: %s: %s", p.name, questions[i], wrong)
					}
				}
				restore()
			}
			t.Logf("%d runs, with %d parts removed one by one", runs, runs/len(questions))
			if runs == 0 {
				t.Error("nothing was asked")
			}
		})
	}
}

// TestCompareDetectsWrongAnswers checks the comparison itself: it detects each kind of wrong answer.
func TestCompareDetectsWrongAnswers(t *testing.T) {
	row := func(s string) []any { return decode(t, s) }
	table, check := question{words: []string{"routes"}}, question{words: []string{"check"}, kind: findings}
	describe, trace := question{words: []string{"describe"}, kind: facts}, question{words: []string{"trace"}, kind: walk}
	stale := `{"check":"stale","proxy":"a","subject":null,"severity":"error"}`
	unknown := `{"check":"stale","proxy":%s,"subject":null,"severity":"unknown"}`
	for _, c := range []struct {
		name          string
		q             question
		before, after answer
		wrong         bool
	}{
		{"the same", table, answer{rows: row(`{"a":1}`)}, answer{rows: row(`{"a":1}`)}, false},
		{"a row is missing, and exit 0", table, answer{rows: row(`{"a":1}`)}, answer{}, true},
		{"a row is missing, and exit 6", table, answer{rows: row(`{"a":1}`)}, answer{code: 6}, false},
		{"a fact is null", table, answer{rows: row(`{"a":1}`)}, answer{rows: row(`{"a":null}`), code: 6}, false},
		{"a fact is null, and exit 0", table, answer{rows: row(`{"a":1}`)}, answer{rows: row(`{"a":null}`)}, true},
		{"a fact is another", table, answer{rows: row(`{"a":1}`)}, answer{rows: row(`{"a":2}`), code: 6}, true},
		{"a fact is false", table, answer{rows: row(`{"a":true}`)}, answer{rows: row(`{"a":false}`), code: 6}, true},
		{"a row is new", table, answer{}, answer{rows: row(`{"a":1}`), code: 6}, true},
		{"the run broke", table, answer{rows: row(`{"a":1}`)}, answer{code: 5}, true},
		{"a finding is gone", check, answer{rows: row(stale), code: 0}, answer{code: 6}, true},
		{"a finding is unknown", check, answer{rows: row(stale)}, answer{rows: row(fmt.Sprintf(unknown, `"a"`)), code: 6}, false},
		{"a finding is unknown, and exit 0", check, answer{rows: row(stale)}, answer{rows: row(fmt.Sprintf(unknown, `"a"`))}, true},
		{"a finding is unknown of the mesh", check, answer{rows: row(stale)}, answer{rows: row(fmt.Sprintf(unknown, `null`)), code: 6}, false},
		{"a finding is unknown of another proxy", check, answer{rows: row(stale)}, answer{rows: row(fmt.Sprintf(unknown, `"b"`)), code: 6}, true},
		{"describe says something else", describe, answer{rows: row(`{"says":"STRICT"}`)}, answer{rows: row(`{"says":"PERMISSIVE"}`), code: 6}, true},
		{"describe says that it is unknown", describe, answer{rows: row(`{"says":"STRICT"}`)}, answer{rows: row(`{"says":"unknown (not read)"}`), code: 6}, false},
		{"a walk ends elsewhere", trace, answer{rows: row(`{"reason":null,"reached":true}`)}, answer{rows: row(`{"reason":"NO_ROUTE","reached":false,"unknowns":[]}`), code: 6}, true},
		{"a walk ends unknown", trace, answer{rows: row(`{"reason":null,"reached":true}`)}, answer{rows: row(`{"reason":"UNKNOWN","reached":false,"unknowns":[{}]}`), code: 6}, false},
		{"a walk ends unknown, and exit 0", trace, answer{rows: row(`{"reason":null,"reached":true}`)}, answer{rows: row(`{"reason":"UNKNOWN","reached":false,"unknowns":[{}]}`)}, true},
		{"a finding is new", check, answer{}, answer{rows: row(stale), code: 6}, true},
	} {
		if got := len(c.q.compare(c.before, c.after)) > 0; got != c.wrong {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// meshes returns the snapshots to remove parts from, each copied into a folder of its own.
func meshes(t *testing.T) (all []*snapshot) {
	t.Helper()
	if !*full {
		m := &snapshot{name: "demo", dir: filepath.Join(t.TempDir(), "demo"), sample: true}
		unpackDemo(t, m.dir)
		return []*snapshot{m}
	}
	for _, name := range []string{"bookinfo", "stale", "ambient"} {
		from := filepath.Join("../../../shared/captures", name)
		if _, err := os.Stat(from); err != nil {
			continue
		}
		m := &snapshot{name: name, dir: filepath.Join(t.TempDir(), name)}
		if err := os.CopyFS(m.dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	if all == nil { // if there are no captures, use the snapshot that comes with the plugin
		m := &snapshot{name: "demo", dir: filepath.Join(t.TempDir(), "demo")}
		unpackDemo(t, m.dir)
		all = []*snapshot{m}
	}
	return all
}
