package ahead

import (
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// scoutSteps is the maximum number of evaluation steps of a worker that only loads in
// advance (a scout, which calls Region.Look). A scout doesn't know the state that the
// consumer will have, so its evaluation might never end without this limit.
const scoutSteps = 1 << 16

// Run evaluates one result of r.From after the other, until one has to be loaded. From
// that result on, it evaluates several results concurrently.
func (m *Thread) Run(r *Region) error {
	r.m, r.base = m, m.Frame
	n, waiting := 0, false
	err := r.From(m, func(v values.Located) error {
		if waiting || worthLook(v.V, n) && pending(v.V) {
			waiting = true
			return values.ErrStop
		}
		n++
		err := r.apply(m, v, r.Y)
		if err != nil && values.AsFault(err) != nil {
			r.answer(n-1, err)
		}
		return err
	})
	if waiting {
		return r.ahead(n)
	}
	return err
}

// Region is an iteration (From) and the code to run for each of its results (Use). The
// results of From are evaluated several at once. Y receives the results of Use in the
// same order, and with the same effects, as if they were evaluated one after the other.
type Region struct {
	From func(*Thread, values.Yield) error
	Use  func(*Thread, values.Located, values.Yield) error

	// If Look is set, Y receives the results of From unchanged, and Use is not called.
	// Workers call Look for results that Y has not received yet, to load what Y will
	// probably read.
	Look func(*Thread, values.Located) error
	Y    values.Yield

	m       *Thread
	base    *Frame
	answers map[int]error // errors of failed loads that Y returned, by the index of the result of From
	drop    *dropped
}

// dropped describes the last result whose proxy was dropped because of a failed load,
// although the generator of the result had already continued without knowing of the
// failure.
type dropped struct {
	fr    *Frame
	index int
	fault error
}

// past reports whether the next result of a generator may exist only because the
// generator didn't know that the proxy was dropped. fr is the frame that the result
// belongs to.
func (d *dropped) past(fr *Frame) bool {
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

// worthLook reports whether to check if result number n contains parts that have to be
// loaded. The check takes long in an object with many fields. So after the first 16
// results, only every sixteenth one is checked.
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

func (r *Region) answer(index int, fault error) {
	if r.answers == nil {
		r.answers = map[int]error{}
	}
	r.answers[index] = fault
}

// ahead evaluates the elements of the iteration concurrently, beginning with result
// number skip. If a dropped proxy changes how the iteration continues, ahead restarts the
// iteration and repeats the known load failures to it.
func (r *Region) ahead(skip int) error {
	heard := skip + 1 // the events before this result were already reported to the user
	for {
		again, err := r.pass(skip, heard)
		if !again || r.m.Ctx.Err() != nil {
			return err
		}
		r.answer(r.drop.index, r.drop.fault)
		skip = r.drop.index + 1
		heard, r.drop = skip, nil
	}
}

// pass processes the results of the iteration in order, until the end or an error. It
// returns again == true if the iteration has to be restarted because a proxy was dropped.
func (r *Region) pass(skip, heard int) (again bool, err error) {
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

// consume passes the results of one element to the consumer, Region.Y.
func (r *Region) consume(el *element) error {
	switch {
	case el.told:
		return r.inPlace(el, func() error { r.m.Report(el.ev); return nil })
	case !el.works: // the element needs no load, so the consumer evaluates it itself
		return r.inPlace(el, func() error { return r.apply(r.m, el.v, r.Y) })
	case r.Look != nil:
		return r.inPlace(el, func() error { return el.queue.attended(el, func() error { return r.Y(el.v) }) })
	}
	c := &consumer{Region: r, el: el}
	return r.ended(el, c.run())
}

func (r *Region) apply(m *Thread, v values.Located, y values.Yield) error {
	if r.Use == nil {
		return y(v)
	}
	return r.Use(m, v, y)
}

// inPlace calls f for an element, in the consumer's goroutine.
func (r *Region) inPlace(el *element, f func() error) error {
	r.m.Frame = el.fr
	err := f()
	r.m.Frame = r.base
	return r.ended(el, err)
}

// ended handles the error that ended the evaluation of an element. If the error is a
// failed load, the proxy that the element belongs to is dropped.
func (r *Region) ended(el *element, err error) error {
	if err == nil || el.fr == r.base {
		return err
	}
	if values.AsFault(err) != nil && r.m.Ctx.Err() == nil {
		r.drop = &dropped{el.fr, el.index, err}
		return nil
	}
	return r.passes(el.fr, err)
}

// passes marks each step of an iteration over proxies that a result belongs to as failed,
// and adds the name of the proxy to the error.
func (r *Region) passes(fr *Frame, err error) error {
	for ; fr != nil && fr != r.base; fr = fr.up {
		fr.failed.Store(true)
		err = values.NameProxy(err, fr.Proxy)
	}
	return err
}

// consumer passes the results that a worker computes for one element on to Region.Y.
type consumer struct {
	*Region
	el     *element
	taken  int // number of values that Y has already received
	faults map[int]error
	drop   *dropped
}

// run passes results on until the worker is done or an error ends the evaluation of the
// element.
func (c *consumer) run() error {
	for {
		out, done, err := c.el.take(c.m.Ctx)
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
	c.m.Frame = x.fr
	defer func() { c.m.Frame = c.base }()
	if x.told {
		c.m.Report(x.ev)
		return nil
	}
	err := c.Y(x.v)
	c.taken++
	if err != nil && x.fr != c.el.fr && c.m.Ctx.Err() == nil {
		if values.AsFault(err) == nil {
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

// redo evaluates the element again, in the consumer's goroutine. That is necessary if the
// worker had continued after a result whose proxy was then dropped. redo omits the
// results that were already passed on, and returns the same load failure for each as the
// first time.
func (c *consumer) redo() error {
	c.el.cancel()
	m, muted := c.m, c.m.Muted
	m.Frame, m.Muted = c.el.fr, true
	n := 0
	err := c.Use(m, c.el.v, func(v values.Located) error {
		if n++; n > c.taken {
			return c.Y(v)
		}
		if n == c.taken {
			m.Muted = muted
		}
		return c.faults[n-1]
	})
	m.Frame, m.Muted = c.base, muted
	return err
}
