package eval

import (
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// pipe runs b on every result of a, which is an iteration. As soon as a gives
// a value that is still to be loaded, b runs ahead on the values after it. jq
// is pure: for that a is simply started again, and its results so far skipped.
func (m *mach) pipe(e *env, in pv, a, b *node, y yield) error {
	use := func(m *mach, v pv, y yield) error { return b.run(m, e, v, y) }
	from := func(m *mach, y yield) error { return a.run(m, e, in, y) }
	if m.run.workers == 1 || m.scout {
		return from(m, func(v pv) error { return b.run(m, e, v, y) })
	}
	return m.eager(&region{from: from, use: use, y: y})
}

// scouted runs use on every result of src, in order and alone: each step may
// need what the one before it left. What they are likely to load is loaded
// ahead, by evaluating look, whose results and errors don't count.
func (m *mach) scouted(e *env, in pv, src *node, look func(*mach, pv) error, use yield) error {
	if !src.ahead(e) || m.run.workers == 1 || m.scout {
		return src.run(m, e, in, use)
	}
	from := func(m *mach, y yield) error { return src.run(m, e, in, y) }
	return m.eager(&region{from: from, look: look, y: use})
}

// eager evaluates the region one by one until a result of the source is still
// to be loaded; from that one on it is evaluated ahead.
func (m *mach) eager(r *region) error {
	r.m, r.base = m, m.frame
	n, waiting := 0, false
	err := r.from(m, func(v pv) error {
		if waiting || worthLook(v.v, n) && pending(v.v) {
			waiting = true
			return errStop
		}
		n++
		err := r.apply(m, v, r.y)
		if err != nil && asFault(err) != nil {
			r.answer(n-1, err)
		}
		return err
	})
	if waiting {
		return r.ahead(n)
	}
	return err
}

// region is the evaluation of use on what from gives, several at once. The
// results are handed to y in the order, and with the effects, that doing one
// after the other would have.
type region struct {
	from func(*mach, yield) error
	use  func(*mach, pv, yield) error
	look func(*mach, pv) error // when set: use is y itself, look goes ahead
	y    yield

	m       *mach
	base    *frame
	answers map[int]error // what results of from, by number, were answered that were not fine
	drop    *dropped
}

// dropped is the last result whose proxy a fault has dropped, after what gave
// it had gone ahead as if all were fine.
type dropped struct {
	fr    *frame
	index int
	fault error
}

// past tells whether what comes next, with the frame it belongs to, was given
// by something that would not have gone on like this, had it known.
func (d *dropped) past(fr *frame) bool {
	if d == nil {
		return false
	}
	if d.fr.failed.Load() {
		return true
	}
	for ; fr != nil; fr = fr.up {
		if fr == d.fr {
			return true
		}
	}
	return false
}

// worthLook tells whether to look for what is to be loaded inside a result,
// which takes a while where there are many fields: after some without anything
// only now and then.
func worthLook(v any, n int) bool {
	switch x := v.(type) {
	case *object.Object:
	case *mesh.Object:
		if x.Kind == "Proxy" {
			return true
		}
	default:
		return true
	}
	return n < 16 || n&15 == 0
}

func (r *region) answer(index int, fault error) {
	if r.answers == nil {
		r.answers = map[int]error{}
	}
	r.answers[index] = fault
}

// ahead evaluates the region from a result of its source on. Where a dropped
// proxy makes the source go another way it is started again, and told.
func (r *region) ahead(skip int) error {
	heard := skip + 1 // events up to this result were told already
	for {
		again, err := r.pass(skip, heard)
		if !again || r.m.ctx.Err() != nil {
			return err
		}
		r.answer(r.drop.index, r.drop.fault)
		skip = r.drop.index + 1
		heard, r.drop = skip, nil
	}
}

// pass consumes what the source gives, in order, until the end or an error;
// again means that it has to be started anew after the drop.
func (r *region) pass(skip, heard int) (again bool, err error) {
	q := newQueue(r)
	defer q.stop()
	q.start(skip, heard)
	for {
		el, err := q.head()
		if el == nil {
			if r.drop.past(nil) {
				return true, nil
			}
			return false, err
		}
		if r.drop.past(el.fr) {
			return true, nil
		}
		r.drop = nil
		if err = r.consume(el); err != nil {
			return false, err
		}
		q.pop(el)
	}
}

// consume hands on what one element gives.
func (r *region) consume(el *element) error {
	switch {
	case el.told:
		return r.inPlace(el, func() error { r.m.tell(el.ev); return nil })
	case !el.works: // nothing to wait for: it is evaluated when its turn comes
		return r.inPlace(el, func() error { return r.apply(r.m, el.v, r.y) })
	case r.look != nil:
		return r.inPlace(el, func() error { return el.queue.attended(el, func() error { return r.y(el.v) }) })
	}
	c := &consumer{region: r, el: el}
	return r.ended(el, c.run())
}

func (r *region) apply(m *mach, v pv, y yield) error {
	if r.use == nil {
		return y(v)
	}
	return r.use(m, v, y)
}

// inPlace evaluates something for an element in the consumer's goroutine.
func (r *region) inPlace(el *element, f func() error) error {
	r.m.frame = el.fr
	err := f()
	r.m.frame = r.base
	return r.ended(el, err)
}

// ended judges how the work on an element ended: a fault drops the proxy that
// the element belongs to.
func (r *region) ended(el *element, err error) error {
	if err == nil || el.fr == r.base {
		return err
	}
	if asFault(err) != nil && r.m.ctx.Err() == nil {
		r.drop = &dropped{el.fr, el.index, err}
		return nil
	}
	return r.passes(el.fr, err)
}

// passes is an error's way up through the frames of a result.
func (r *region) passes(fr *frame, err error) error {
	for ; fr != nil && fr != r.base; fr = fr.up {
		fr.failed.Store(true)
		err = nameProxy(err, fr.proxy)
	}
	return err
}

// consumer hands on the results that a worker gives for one element.
type consumer struct {
	*region
	el     *element
	taken  int // values handed on
	faults map[int]error
	drop   *dropped
}

// run is done when the worker is, or when an error came up that ends the work
// on the element.
func (c *consumer) run() error {
	for {
		out, done, err := c.el.take(c.m.ctx)
		for _, x := range out {
			if c.drop.past(x.fr) {
				return c.redo()
			}
			c.drop = nil
			if err := c.hand(x); err != nil {
				return err
			}
		}
		if !done {
			continue
		}
		if err != nil && c.drop.past(nil) {
			return c.redo()
		}
		return err
	}
}

func (c *consumer) hand(x result) error {
	c.m.frame = x.fr
	defer func() { c.m.frame = c.base }()
	if x.told {
		c.m.tell(x.ev)
		return nil
	}
	err := c.y(x.v)
	c.taken++
	if err != nil && x.fr != c.el.fr && c.m.ctx.Err() == nil {
		if asFault(err) == nil {
			return c.passes(x.fr, err)
		}
		if c.faults == nil {
			c.faults = map[int]error{}
		}
		c.faults[c.taken-1] = err
		c.drop = &dropped{fr: x.fr}
		return nil
	}
	return err
}

// redo evaluates the element again, in the consumer's goroutine, because the
// worker went on from a result whose proxy was dropped. What was handed on is
// skipped, with the answers it was given.
func (c *consumer) redo() error {
	c.el.cancel()
	m, muted := c.m, c.m.muted
	m.frame, m.muted = c.el.fr, true
	n := 0
	err := c.use(m, c.el.v, func(v pv) error {
		if n++; n > c.taken {
			return c.y(v)
		}
		if n == c.taken {
			m.muted = muted
		}
		return c.faults[n-1]
	})
	m.frame, m.muted = c.base, muted
	return err
}
