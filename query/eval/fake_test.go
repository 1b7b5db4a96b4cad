package eval

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/itchyny/gojq"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// fake is a small mesh for tests. It counts the loads of its sections, and can make them
// slow or make them fail.
type fake struct {
	proxies []*fakeProxy
	latency time.Duration // maximum duration of a load
	fault   func(section string) bool

	mu     sync.Mutex
	loads  []string // names of the loaded sections, in the order in which the loads finished
	tried  map[string]bool
	active atomic.Int64
	most   atomic.Int64
}

type fakeProxy struct {
	fields   *object.Object
	sections map[string]*fakeSection
}

// newFake returns a mesh of n proxies with two sections each.
func newFake(n int, latency time.Duration) *fake {
	f := &fake{latency: latency, tried: map[string]bool{}}
	for i := range n {
		p := &fakeProxy{sections: map[string]*fakeSection{}, fields: object.Of(
			"id", fmt.Sprintf("pod-%03d.ns%d", i, i%3), "name", fmt.Sprintf("pod-%03d", i), "ns", fmt.Sprintf("ns%d", i%3), "rds", "SYNCED", "i", i,
		)}
		if i%7 == 3 {
			p.fields.Set("rds", "STALE")
		}
		for _, s := range []string{"clusters", "routes"} {
			var elements []any
			for j := range i%4 + 1 {
				elements = append(elements, object.Of("name", fmt.Sprintf("%s-%d-%d", s, i, j), "w", (i*7+j)%11))
			}
			p.sections[s] = &fakeSection{fake: f, proxy: p.fields.Get("id").(string), name: s, value: elements, lock: make(chan struct{}, 1)}
		}
		f.proxies = append(f.proxies, p)
	}
	return f
}

// document returns the mesh as a lazy value.
func (f *fake) document() any {
	var ps []any
	for _, p := range f.proxies {
		fields := object.New(0)
		for k, v := range p.fields.All() {
			fields.Set(k, v)
		}
		o := mesh.NewObject("Proxy", nil, fields)
		for k, s := range p.sections {
			s.owner = o
			fields.Set(k, s)
		}
		ps = append(ps, o)
	}
	return mesh.NewObject("Mesh", nil, object.Of("proxies", ps))
}

// plain returns the mesh as a completely loaded value. It omits the sections named in
// without.
func (f *fake) plain() any {
	ps := []any{}
	for _, p := range f.proxies {
		fields := object.Of("kind", "Proxy")
		for k, v := range p.fields.All() {
			fields.Set(k, v)
		}
		for k, s := range p.sections {
			fields.Set(k, s.plain())
		}
		ps = append(ps, fields)
	}
	return object.Of("kind", "Mesh", "proxies", ps)
}

// loaded returns the names of the loaded sections, sorted.
func (f *fake) loaded() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(slices.Values(f.loads))
}

// fakeSection is a lazy value that is loaded at most once.
type fakeSection struct {
	fake        *fake
	owner       *mesh.Object
	proxy, name string
	value       []any

	lock chan struct{}
	done atomic.Bool
	out  []any
}

func (s *fakeSection) String() string { return s.proxy + "/" + s.name }

func (s *fakeSection) plain() any {
	kind := map[string]string{"clusters": "Cluster", "routes": "RouteConfiguration"}[s.name]
	var out []any
	for _, e := range s.value {
		fields := object.Of("kind", kind)
		for k, v := range e.(*object.Object).All() {
			fields.Set(k, v)
		}
		out = append(out, fields)
	}
	return out
}

func (s *fakeSection) Pending() bool { return !s.done.Load() }

func (s *fakeSection) Forced() (any, bool) {
	if s.done.Load() {
		return s.out, true
	}
	return nil, false
}

func (s *fakeSection) Force(ctx context.Context) (any, error) {
	if v, ok := s.Forced(); ok {
		return v, nil
	}
	if err := mesh.Enter(ctx); err != nil {
		return nil, err
	}
	select {
	case s.lock <- struct{}{}:
		defer func() { <-s.lock }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if v, ok := s.Forced(); ok {
		return v, nil
	}
	return s.load(ctx)
}

func (s *fakeSection) load(ctx context.Context) (any, error) {
	f := s.fake
	n := f.active.Add(1)
	defer f.active.Add(-1)
	for most := f.most.Load(); n > most && !f.most.CompareAndSwap(most, n); most = f.most.Load() {
	}
	if f.latency > 0 {
		select {
		case <-time.After(rand.N(f.latency)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tried[s.String()] = true
	if f.fault != nil && f.fault(s.String()) {
		return nil, &mesh.Fault{Proxy: s.proxy, Section: s.name, Err: errors.New("port 15000 refused")}
	}
	f.loads = append(f.loads, s.String())
	kind := map[string]string{"clusters": "Cluster", "routes": "RouteConfiguration"}[s.name]
	for _, e := range s.value {
		fields := object.New(0)
		for k, v := range e.(*object.Object).All() {
			fields.Set(k, v)
		}
		s.out = append(s.out, mesh.NewObject(kind, s.owner, fields))
	}
	s.done.Store(true)
	return s.out, nil
}

// answer contains the results of a run.
type answer struct {
	out    []string
	err    error
	faults []string
	notes  []string
}

// kinds returns the answer, without the text of the error.
func (a *answer) kinds() string {
	b := *a
	if b.err != nil {
		b.err = errors.New("an error")
	}
	return b.String()
}

// String returns the answer in the form in which gojq prints it. It omits the proxy's
// name from the error.
func (a *answer) String() string {
	s := strings.Join(a.out, "\n")
	if a.err == nil {
		return s
	}
	if e := (*values.Error)(nil); errors.As(a.err, &e) {
		return s + "\nerror: " + e.Err.Error()
	}
	return s + "\nerror: " + a.err.Error()
}

func mustCompile(t testing.TB, query string, o Options) *Code {
	t.Helper()
	p, err := syntax.Parse("", query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	code, err := Compile(p, o)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return code
}

// finishDeep loads a result completely.
func finishDeep(ctx context.Context, v any) (any, error) { return mesh.Deep(ctx, v) }

// ask runs a query over a document with the given number of workers.
func ask(ctx context.Context, t testing.TB, query string, doc any, workers int) *answer {
	t.Helper()
	return askWith(ctx, mustCompile(t, query, Options{}), doc, RunOptions{Workers: workers, Finish: finishDeep})
}

func askWith(ctx context.Context, code *Code, doc any, o RunOptions) *answer {
	a := &answer{}
	o.Fault = func(f *mesh.Fault) { a.faults = append(a.faults, f.Error()) }
	o.Note = func(s string) { a.notes = append(a.notes, s) }
	a.err = code.Run(ctx, doc, nil, o, func(v any) error {
		v, err := mesh.Deep(ctx, v)
		if err != nil {
			return err
		}
		text, err := gojq.Marshal(object.ToPlain(v))
		a.out = append(a.out, string(text))
		return err
	})
	return a
}

// askGojq runs a query in gojq, on the completely loaded document.
func askGojq(t testing.TB, query string, plain any) *answer {
	t.Helper()
	q, err := gojq.Parse(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	a := &answer{}
	it := q.Run(object.ToPlain(plain))
	for {
		v, ok := it.Next()
		if !ok {
			return a
		}
		if err, ok := v.(error); ok {
			a.err = err
			return a
		}
		text, _ := gojq.Marshal(object.ToPlain(v))
		a.out = append(a.out, string(text))
	}
}
