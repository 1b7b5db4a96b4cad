package eval

import (
	"sync/atomic"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// frame is one step of an iteration over proxies: a proxy, while what follows
// the iteration is evaluated for it. A fault that is met meanwhile drops the
// proxy: the innermost frame takes the fault, and its iteration goes on.
type frame struct {
	up     *frame
	proxy  *mesh.Object
	failed atomic.Bool // an error went up through it
}

// element does f for one element of an iteration. It tells whether a fault
// dropped the element; err is any other error.
func (m *mach) element(w any, f func() error) (dropped bool, err error) {
	o, ok := w.(*mesh.Object)
	if !ok || o.Kind != "Proxy" {
		return false, f()
	}
	fr := &frame{up: m.frame, proxy: o}
	m.frame = fr
	err = f()
	m.frame = fr.up
	if err == nil {
		return false, nil
	}
	if asFault(err) != nil && m.ctx.Err() == nil {
		return true, nil
	}
	fr.failed.Store(true)
	return false, nameProxy(err, o)
}

// step hands one element of an iteration to what follows.
func (m *mach) step(w any, v pv, y yield) error {
	if o, ok := w.(*mesh.Object); !ok || o.Kind != "Proxy" {
		return y(v)
	}
	_, err := m.element(w, func() error { return y(v) })
	return err
}

// nameProxy tells an error which proxy it is about.
func nameProxy(err error, o *mesh.Object) error {
	e, ok := err.(*Error)
	if !ok || e.Element != "" || o == nil {
		return err
	}
	if o.Kind != "Proxy" {
		return nameProxy(err, o.Owner)
	}
	if id := proxyID(o); id != "" {
		named := *e
		named.Element = id
		return &named
	}
	return err
}

// proxyID gives the id of a proxy; empty where it isn't known without a look.
func proxyID(o *mesh.Object) string {
	fields, _ := o.Forced()
	m, _ := fields.(*object.Object)
	id, _ := m.Get("id").(string)
	return id
}

// about tells an error which proxy the value is, or is of, that it was raised
// over.
func about(err error, v any) error {
	if o, ok := v.(*mesh.Object); ok {
		return nameProxy(err, o)
	}
	return err
}

// event is something that is told to the user, in the order in which one
// goroutine alone would have met it.
type event struct {
	fault       *mesh.Fault
	judged      bool // a judgement has made a result of the fault
	note        string
	kind, field string // a field that a kind does not have
}

// tell passes an event on.
func (m *mach) tell(ev event) {
	switch {
	case m.scout || m.muted:
	case m.sink != nil:
		m.sink(ev)
	default:
		m.run.told(ev)
	}
}

// met is called with the error of a look into a value; it gives it back.
func (m *mach) met(err error) error {
	if f := asFault(err); f != nil && m.ctx.Err() == nil {
		m.tell(event{fault: f})
	}
	return err
}

// held is a result that is handed on after the generator that gave it was
// stopped: it still belongs to the iterations it came from.
type held struct {
	v  pv
	fr *frame
}

func (m *mach) hold(v pv) held { return held{v, m.frame} }

// release hands a held result on. A fault that is met drops it, when it comes
// from an iteration over proxies.
func (m *mach) release(h held, y yield) error {
	base := m.frame
	m.frame = h.fr
	err := y(h.v)
	m.frame = base
	if err == nil || h.fr == base {
		return err
	}
	if asFault(err) != nil && m.ctx.Err() == nil {
		return nil
	}
	return nameProxy(err, h.fr.proxy)
}
