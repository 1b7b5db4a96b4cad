package ahead

import (
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Frame is one step of an iteration over proxies. It exists while the rest of the query
// is evaluated for one proxy. If a load fails during that evaluation, the innermost frame
// drops its proxy, and its iteration continues with the next proxy.
type Frame struct {
	up     *Frame
	Proxy  *mesh.Object
	failed atomic.Bool // whether an error other than a failed load ended the evaluation for this proxy
}

// Element calls f for one element of an iteration. dropped is true if the element is a
// proxy that was dropped because a load failed in f. err is any other error of f.
func (m *Thread) Element(w any, f func() error) (dropped bool, err error) {
	o, ok := w.(*mesh.Object)
	if !ok || o.Kind != "Proxy" {
		return false, f()
	}
	fr := &Frame{up: m.Frame, Proxy: o}
	m.Frame = fr
	err = f()
	m.Frame = fr.up
	if err == nil {
		return false, nil
	}
	if values.AsFault(err) != nil && m.Ctx.Err() == nil {
		return true, nil
	}
	fr.failed.Store(true)
	return false, values.NameProxy(err, o)
}

// Step passes one element of an iteration to y. If the element is a proxy and a load
// fails in y, Step drops the proxy.
func (m *Thread) Step(w any, v values.Located, y values.Yield) error {
	if o, ok := w.(*mesh.Object); !ok || o.Kind != "Proxy" {
		return y(v)
	}
	_, err := m.Element(w, func() error { return y(v) })
	return err
}

// Event is a message to the user: a failed load, a note, or a field that doesn't exist.
// Events are reported in the same order as if one goroutine evaluated the query alone.
type Event struct {
	Fault       *mesh.Fault
	Judged      bool // whether a [Judgement] has already turned the fault into a result of the query
	Note        string
	Kind, Field string // a field that the query read, although objects of this kind have no such field
}

// Report passes an event on to the user. A scout (a worker that only loads in advance)
// drops its events.
func (m *Thread) Report(ev Event) {
	switch {
	case m.Scout || m.Muted:
	case m.Sink != nil:
		m.Sink(ev)
	default:
		m.pool.report(ev)
	}
}

// Held is a result that the consumer receives only after the generator that yielded it
// was stopped. The result still belongs to the proxies whose iterations it came from,
// which is why Frame is stored with it.
type Held struct {
	Result values.Located
	Frame  *Frame
}

// Hold stores a result, together with the current frame, for a later call of Release.
func (m *Thread) Hold(v values.Located) Held { return Held{v, m.Frame} }

// Release passes a stored result to y. If the result comes from an iteration over proxies
// and a load fails in y, the result is dropped.
func (m *Thread) Release(h Held, y values.Yield) error {
	base := m.Frame
	m.Frame = h.Frame
	err := y(h.Result)
	m.Frame = base
	if err == nil || h.Frame == base {
		return err
	}
	if values.AsFault(err) != nil && m.Ctx.Err() == nil {
		return nil
	}
	return values.NameProxy(err, h.Frame.Proxy)
}
