package sources

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Faults gives what could not be had of all that was asked so far, each once:
// by proxy, then whose it is, then section.
func (m *Mesh) Faults() []*mesh.Fault {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*mesh.Fault
	for _, f := range m.faults {
		all = append(all, f)
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
func (m *Mesh) record(f *mesh.Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if key := f.Error(); m.faults[key] == nil {
		m.faults[key] = f
	}
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
	m.record(f)
	return f
}

func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// lost tells whether a source's fault means that something is missing.
func lost(f *mesh.Fault) bool { return !errors.Is(f.Err, fs.ErrNotExist) }

// faultObject is a fault in the document.
func faultObject(f *mesh.Fault) any {
	return mesh.NewObject("Fault", nil, map[string]any{
		"proxy": nullable(f.Proxy), "subject": nullable(f.Subject), "section": nullable(f.Section), "error": f.Err.Error(),
	})
}
