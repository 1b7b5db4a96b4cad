package ahead

import (
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// Frame is one step of an iteration over proxies. It contains one proxy, while the
// rest of the query is evaluated for that proxy. A fault during that evaluation
// drops the proxy: the innermost frame handles the fault, and its iteration
// continues with the next proxy.
type Frame struct {
	up     *Frame
	Proxy  *mesh.Object
	failed atomic.Bool // whether an error passed through this frame
}

// Element calls f for one element of an iteration. It reports whether a fault
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

// Step passes one element of an iteration to the consumer of the iteration.
func (m *Thread) Step(w any, v values.Located, y values.Yield) error {
	if o, ok := w.(*mesh.Object); !ok || o.Kind != "Proxy" {
		return y(v)
	}
	_, err := m.Element(w, func() error { return y(v) })
	return err
}

// Event is a report to the user. Events are reported in the order in which one
// goroutine alone would report them.
type Event struct {
	Fault       *mesh.Fault
	Judged      bool // whether a judgement turned the fault into a result
	Note        string
	Kind, Field string // a field that was read, although its kind has no such field
}

// Report passes an event on to the user.
func (m *Thread) Report(ev Event) {
	switch {
	case m.Scout || m.Muted:
	case m.Sink != nil:
		m.Sink(ev)
	default:
		m.pool.report(ev)
	}
}

// Held is a result that is passed on only after the generator that yielded it was
// stopped. It still belongs to the frames of the iterations that it came from.
type Held struct {
	Result values.Located
	Frame  *Frame
}

// Hold keeps a result for Release.
func (m *Thread) Hold(v values.Located) Held { return Held{v, m.Frame} }

// Release passes a held result to its consumer. If the result comes from an
// iteration over proxies, a fault in y drops the result.
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
