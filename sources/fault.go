package sources

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Faults gives what could not be had of all that was asked so far, each once:
// by proxy, then whose it is, then section. What an evaluator tried to load
// ahead of its need is among them.
func (m *Mesh) Faults() []*mesh.Fault { return m.recorded(func(noted) bool { return true }) }

// LeftOut gives those of the faults that nobody met as an error, because the
// rest was there without them: the outline's, the sources' own, one context's
// part of a list. Every other fault was given to whoever looked.
func (m *Mesh) LeftOut() []*mesh.Fault { return m.recorded(func(n noted) bool { return n.leftOut }) }

// A noted fault is one that was recorded.
type noted struct {
	fault   *mesh.Fault
	leftOut bool
}

func (m *Mesh) recorded(which func(noted) bool) []*mesh.Fault {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*mesh.Fault
	for _, n := range m.faults {
		if which(n) {
			all = append(all, n.fault)
		}
	}
	sortFaults(all)
	return all
}

func sortFaults(all []*mesh.Fault) {
	slices.SortFunc(all, func(a, b *mesh.Fault) int {
		return cmp.Or(cmp.Compare(a.Proxy, b.Proxy), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Section, b.Section),
			cmp.Compare(a.Err.Error(), b.Err.Error()))
	})
}

// record keeps a fault, once.
func (m *Mesh) record(n noted) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := n.fault.Error()
	if old, ok := m.faults[key]; ok {
		n.fault = old.fault
		n.leftOut = n.leftOut || old.leftOut
	}
	m.faults[key] = n
}

// fail makes the error of a part that can't be had, and records it. An end of
// ctx is nobody's fault.
func (m *Mesh) fail(ctx context.Context, f *mesh.Fault) error {
	if ended(ctx, f.Err) {
		return f.Err
	}
	var inner *mesh.Fault
	if errors.As(f.Err, &inner) && inner.Err != nil { // of a value inside: it doesn't know its section
		f.Err = inner.Err
	}
	m.record(noted{fault: f})
	return f
}

func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// lost tells whether a source's fault means that something is missing.
func lost(f *mesh.Fault) bool { return !errors.Is(f.Err, fs.ErrNotExist) }

// faultObject is a fault in the document.
func faultObject(f *mesh.Fault) any {
	return mesh.NewObject("Fault", nil, object.Of(
		"proxy", nullable(f.Proxy), "subject", nullable(f.Subject), "section", nullable(f.Section), "message", f.Fact(),
	))
}
