package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/eval"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"github.com/meshq/kubectl-meshq/test/unpack"
)

// walked contains the queries that FuzzWalk runs over each dump. They call the
// functions that implement Envoy's routing and matching rules.
var walked = []string{
	`trace("http://reviews:9080/reviews/1")`,
	`trace({url: "https://httpbin.example.com/", destination: "10.0.0.9", alpn: ["h2"], headers: {"x-role": ["a", "b"], "end-user": "jason"}, random: 7})`,
	`trace({url: "tcp://[fd00::5]:9080", through: true})`,
	`trace({url: "http://web:10080/a?b=c", direction: "inbound", from: "10.1.2.3", tls: true, principal: ""})`,
	`.listeners[] | match({url: "https://m.example.com:8443/x", source: "10.0.0.1:80"})`,
	`.routes[] | match("POST http://reviews:9080/v1/x?debug=1"), (.virtualHosts[]? | match("/x"))`,
	`routesTo("reviews"), routesTo("outbound|9080||reviews.default.svc.cluster.local")`,
	`unreachable`,
}

// maxWalk is the time limit for one dump. A dump has only a few kilobytes, so even
// on a busy machine only an endless loop takes this long.
const maxWalk = time.Minute

// mostText is the maximum size of a changed dump, in bytes. A change that repeats
// large parts can make a dump larger; FuzzWalk skips such a dump.
const mostText = 1 << 16

// FuzzWalk runs queries over dumps whose Envoy messages were changed: fields are
// removed, emptied, repeated or replaced by others, and types become unknown. A query
// must neither panic nor run forever; it may return an error.
func FuzzWalk(f *testing.F) {
	w := newWalks(f)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range w.seeds {
		f.Add(byte(i), []byte{})
		for range 20 {
			f.Add(byte(i), randomScript(random))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, script []byte) { w.walk(t, int(which), script) })
}

var walkCount = flag.Int("walks", 500, "how many random dumps TestWalksOfRandomDumps walks")

// TestWalksOfRandomDumps does the same as FuzzWalk with scripts from a random seed.
// Unlike fuzzing it needs no worker processes, so it is suited for long runs:
// go test ./plugin -run TestWalksOfRandomDumps -walks 1000000 -timeout 10h
func TestWalksOfRandomDumps(t *testing.T) {
	w := newWalks(t)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 3))
	for n := range *walkCount {
		which, script := random.IntN(len(w.seeds)), randomScript(random)
		if w.walk(t, which, script); t.Failed() {
			t.Fatalf("seed %d, dump %d: of seed %d by script %q", seed, n, which, script)
		}
		if n%50_000 == 49_999 {
			t.Logf("%d dumps of seed %d", n+1, seed)
		}
	}
}

func randomScript(random *rand.Rand) []byte {
	script := make([]byte, 12+random.IntN(40))
	for i := range script {
		script[i] = byte(random.Uint32())
	}
	return script
}

// walks holds the dumps that are changed, and the queries that run over each result.
type walks struct {
	seeds    []any
	places   [][]spot // the positions of all values in each seed
	programs []*query.Program
	open     *sources.Mesh // the dump over which the queries run at the moment
}

func newWalks(t testing.TB) *walks {
	t.Helper()
	w := &walks{}
	for _, path := range seedFiles(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := object.Unmarshal(text, &v); err != nil {
			t.Fatal(path, err)
		}
		v = trimmed(v)
		w.seeds, w.places = append(w.seeds, v), append(w.places, spots(v))
	}
	w.programs = walkPrograms(t, func() any { return w.open.Document() })
	return w
}

// seedFiles returns the paths of the seeds: our own test cases, a sidecar that has
// every kind of section, and dumps of two real meshes, one of which is an ambient
// mesh.
func seedFiles(t testing.TB) (all []string) {
	t.Helper()
	dir := t.TempDir()
	if err := unpack.Demo(dir, func(name string) bool { return strings.HasSuffix(name, "config_dump.json") }); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{
		"../testdata/[cw]*/*.json", "../testdata/ambient/proxies/*/config_dump.json", dir + "/proxies/istio-*/config_dump.json", dir + "/proxies/ratings-*/config_dump.json",
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal("there are no seeds ", pattern, err)
		}
		all = append(all, paths...)
	}
	return all
}

// mostElements is the maximum number of elements that each list of a seed keeps. The
// dumps have to be small, so that hundreds of them can be tested per second.
const mostElements = 3

// trimmed returns a value with at most mostElements elements in each list. It takes
// them at regular intervals, because the first elements are often alike.
func trimmed(v any) any {
	switch x := v.(type) {
	case []any:
		step, out := max(1, len(x)/mostElements), []any{}
		for i := 0; i < len(x) && len(out) < mostElements; i += step {
			out = append(out, trimmed(x[i]))
		}
		return out
	case *object.Object:
		for k, w := range x.All() {
			if k == "configs" { // a seed keeps every part of the dump
				parts, _ := w.([]any)
				for i := range parts {
					parts[i] = trimmed(parts[i])
				}
				continue
			}
			x.Set(k, trimmed(w))
		}
	}
	return v
}

// eachOf determines how many queries run over one dump: one in eachOf. Running few
// queries over many dumps finds more faults than running all queries over few
// dumps.
const eachOf = 12

// walk changes a dump according to a script, and runs some of the queries over the
// result.
func (w *walks) walk(t *testing.T, which int, script []byte) {
	t.Helper()
	m := &mutation{script: script}
	text, err := json.Marshal(m.apply(w.seeds[which%len(w.seeds)], w.places))
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > mostText {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			t.Logf("panics over %s", text)
			panic(r)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), maxWalk)
	defer cancel()
	s, err := transport.OpenBytes(ctx, "config_dump.json", text, transport.OpenOptions{})
	if err != nil {
		return
	}
	w.open, err = sources.Open(ctx, sources.Options{Sources: []transport.Source{s}, Concurrency: 1, Now: time.Unix(1_790_000_000, 0)})
	if err != nil {
		return
	}
	defer w.open.Close()
	first := m.next(eachOf)
	for i := first; i < len(w.programs); i += eachOf {
		err := w.programs[i].Run(ctx, w.open.Document(), nil, eval.RunOptions{
			Workers: 1, All: true, Now: func() float64 { return 1_790_000_000 },
			Finish: func(ctx context.Context, v any) (any, error) { return mesh.Deep(ctx, v) },
		}, func(any) error { return nil })
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("after %s it still runs: %s", maxWalk, text)
		}
	}
}

// walkPrograms compiles the queries once, for all dumps.
func walkPrograms(t testing.TB, document func() any) (out []*query.Program) {
	t.Helper()
	sources := []string{"try diff(.proxies[0].listeners; .proxies[0].routes) catch .", "try diff(.proxies[0]; .proxies[0] | .clusters, .listeners) catch ."}
	for _, w := range walked {
		sources = append(sources, fmt.Sprintf(".proxies[] | try (%s) catch .", w))
	}
	for _, c := range append(shipped.Checks(), must(shipped.Find("describe", shipped.All()))) {
		sources = append(sources, argued(c))
	}
	for _, src := range sources {
		o := query.Options{}
		o.Doors.Document = document
		p, err := query.Compile(src, o)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func must(q shipped.Query, _ bool) shipped.Query { return q }

// argued returns the text of a query with the default values of its arguments.
func argued(q shipped.Query) string {
	text := ""
	if q.Words != "" {
		text = `["app", "gw"] as $words | `
	}
	for _, a := range q.Args {
		text += fmt.Sprintf("%s as $%s | ", quoted(a.Unset()), a.Variable())
	}
	return text + q.Program()
}

// A mutation changes a message according to a script. Each change consumes some
// bytes of the script, which select the position and the kind of the change.
type mutation struct{ script []byte }

// next returns the next number of the script, reduced modulo n. After the end of the
// script it returns 0.
func (m *mutation) next(n int) int {
	if n <= 0 {
		return 0
	}
	v := 0
	for range 2 {
		v <<= 8
		if len(m.script) > 0 {
			v |= int(m.script[0])
			m.script = m.script[1:]
		}
	}
	return v % n
}

// mostChanges is the maximum number of changes to one dump.
const mostChanges = 12

// apply returns a changed copy of a seed. donors are the positions of the values in
// all seeds, from which a change may take a value. The positions in the copy are
// listed before the first change. A later change has no effect if the value at its
// position is no longer part of the dump.
func (m *mutation) apply(seed any, donors [][]spot) any {
	out := cloned(seed)
	all := spots(out)
	for n := 0; len(m.script) > 0 && n < mostChanges; n++ {
		m.change(all[m.next(len(all))], all, donors)
	}
	return out
}

// A spot is the position of a value in a message: a member of an object or an element
// of an array.
type spot struct {
	in  any // the *object.Object or []any that contains the value
	key string
	at  int
}

func (s spot) value() any {
	if in, ok := s.in.(*object.Object); ok {
		return in.Get(s.key) // nil if a change has removed it
	}
	return s.in.([]any)[s.at]
}

func (s spot) set(v any) {
	if in, ok := s.in.(*object.Object); ok {
		in.Set(s.key, v)
		return
	}
	s.in.([]any)[s.at] = v
}

// spots returns the positions of all values inside v, in order.
func spots(v any) (out []spot) {
	switch x := v.(type) {
	case *object.Object:
		for _, k := range x.Sorted() {
			out = append(out, spot{in: x, key: k})
			out = append(out, spots(x.Get(k))...)
		}
	case []any:
		for i := range x {
			out = append(out, spot{in: x, at: i})
			out = append(out, spots(x[i])...)
		}
	}
	return out
}

// oddValues are values that a change may set in any field, whatever the field's
// type is.
var oddValues = []any{
	nil, "", 0, -1, 1, true, false, 1e300, "*", "x", "0.0.0.0", "::", "[::1]:80", "4294967296", 15001, "9223372036854775807", "DRAINING", "EDS",
	"envoy://a/b", []any{}, object.New(0), []any{nil}, []any{object.New(0)}, "type.googleapis.com/x.Y", "\xff",
}

func (m *mutation) change(s spot, all []spot, donors [][]spot) {
	switch m.next(8) {
	case 0: // removes the value
		if in, ok := s.in.(*object.Object); ok {
			in.Delete(s.key)
		} else {
			s.set(nil)
		}
	case 1: // empties the value
		switch s.value().(type) {
		case *object.Object:
			s.set(object.New(0))
		case []any:
			s.set([]any{})
		default:
			s.set(nil)
		}
	case 2: // replaces the value by one of oddValues
		s.set(cloned(oddValues[m.next(len(oddValues))]))
	case 3: // replaces the value by the value at another position
		s.set(cloned(all[m.next(len(all))].value()))
	case 4: // swaps the values at two positions
		o := all[m.next(len(all))]
		a, b := cloned(s.value()), cloned(o.value())
		s.set(b)
		o.set(a)
	case 5: // repeats an element of a list
		if a, ok := s.value().([]any); ok && len(a) > 0 {
			s.set(append(slices.Clone(a), cloned(a[m.next(len(a))])))
		}
	case 6: // sets a value from another dump, if possible from a field of the same name
		others := donors[m.next(len(donors))]
		same := slices.DeleteFunc(slices.Clone(others), func(o spot) bool { return o.key != s.key })
		if len(same) > 0 {
			others = same
		}
		s.set(cloned(others[m.next(len(others))].value()))
	case 7: // adds a field from another dump to the object
		if in, ok := s.in.(*object.Object); ok {
			others := donors[m.next(len(donors))]
			if o := others[m.next(len(others))]; o.key != "" {
				in.Set(o.key, cloned(o.value()))
			}
		}
	}
}

func cloned(v any) any {
	switch x := v.(type) {
	case *object.Object:
		out := object.New(x.Len())
		for k, e := range x.All() {
			out.Set(k, cloned(e))
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = cloned(e)
		}
		return out
	}
	return v
}
