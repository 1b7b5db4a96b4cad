package ahead

import (
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Frame is one step of an iteration over proxies: a proxy, while what follows
// the iteration is evaluated for it. A fault that is met meanwhile drops the
// proxy: the innermost frame takes the fault, and its iteration goes on.
type Frame struct {
	up     *Frame
	Proxy  *mesh.Object
	failed atomic.Bool // an error went up through it
}

// Element does f for one element of an iteration. It tells whether a fault
// dropped the element; err is any other error.
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

// Step hands one element of an iteration to what follows.
func (m *Thread) Step(w any, v values.Located, y values.Yield) error {
	if o, ok := w.(*mesh.Object); !ok || o.Kind != "Proxy" {
		return y(v)
	}
	_, err := m.Element(w, func() error { return y(v) })
	return err
}

// Event is something that is told to the user, in the order in which one
// goroutine alone would have met it.
type Event struct {
	Fault       *mesh.Fault
	Judged      bool // a judgement has made a result of the fault
	Note        string
	Kind, Field string // a field that a kind does not have
}

// Report passes an event on.
func (m *Thread) Report(ev Event) {
	switch {
	case m.Scout || m.Muted:
	case m.Sink != nil:
		m.Sink(ev)
	default:
		m.pool.report(ev)
	}
}

// Held is a result that is handed on after the generator that gave it was
// stopped: it still belongs to the iterations it came from.
type Held struct {
	Result values.Located
	Frame  *Frame
}

// Hold keeps a result for Release.
func (m *Thread) Hold(v values.Located) Held { return Held{v, m.Frame} }

// Release hands a held result on. A fault that is met drops it, when it comes
// from an iteration over proxies.
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
