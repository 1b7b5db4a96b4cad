package printers

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A loadLog records which parts of a fake document were loaded.
type loadLog struct {
	mu     sync.Mutex
	loaded []string
}

func (w *loadLog) note(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loaded = append(w.loaded, path)
}

func (w *loadLog) paths() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.loaded)
	return slices.Compact(slices.Clone(w.loaded))
}

// A fake is a lazy value that reports to a loadLog when it is loaded.
type fake struct {
	watch   *loadLog
	path    string
	v       any
	err     error
	pending bool

	mu   sync.Mutex
	done bool
}

func (f *fake) Force(ctx context.Context) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.watch.note(f.path)
	if f.err != nil {
		return nil, f.err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = true
	return f.v, nil
}

func (f *fake) Forced() (any, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.v, f.done
}

func (f *fake) Pending() bool { return f.pending }

// A wholeFake is a fake with a cheaper way to load everything in it.
type wholeFake struct{ fake }

func (f *wholeFake) Deep(ctx context.Context) (any, error) {
	v, err := f.Force(ctx)
	if err != nil {
		return nil, err
	}
	return mesh.Deep(ctx, v)
}

// lazyCopy returns a copy of v in which every member is a fake. The paths of the
// members are written as in a Column's Fields, without indices.
func lazyCopy(w *loadLog, path string, v any) any {
	at := func(key string) string { return strings.TrimPrefix(path+"."+key, ".") }
	switch v := v.(type) {
	case *object.Object:
		out := object.New(0)
		for k, m := range v.All() {
			out.Set(k, &fake{watch: w, path: at(k), v: lazyCopy(w, at(k), m)})
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, m := range v {
			out[i] = lazyCopy(w, path, m)
		}
		return out
	}
	return v
}

// unavailablePart returns an unavailable part.
func unavailablePart() *fake {
	return &fake{watch: &loadLog{}, err: &mesh.Fault{Proxy: "a.default", Section: "clusters", Err: errors.New("port 15000 refused")}}
}

func read(t testing.TB, text string, literal bool) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	v = object.FromPlain(v)
	if literal {
		return v
	}
	return numbers(v)
}

// numbers converts numbers to the types that they have in a query.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := strconv.Atoi(string(v)); err == nil {
			return i
		}
		if i, ok := new(big.Int).SetString(string(v), 10); ok {
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case *object.Object:
		for k := range v.All() {
			v.Set(k, numbers(v.Get(k)))
		}
	}
	return v
}

// now returns the time of the fake documents.
func now() time.Time { return time.Date(2026, 11, 22, 13, 2, 41, 0, time.UTC) }

// render returns the output for values with the options.
func render(t testing.TB, o Options, values ...any) string {
	t.Helper()
	text, err := try(o, values...)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func try(o Options, values ...any) (string, error) {
	var b strings.Builder
	o.Out = &b
	if o.Now.IsZero() {
		o.Now = now()
	}
	p, err := New(o)
	if err != nil {
		return "", err
	}
	for _, v := range values {
		r, err := p.Render(context.Background(), v)
		if err != nil {
			return b.String(), err
		}
		if err := p.Print(r); err != nil {
			return b.String(), err
		}
	}
	err = p.Close()
	return b.String(), err
}
