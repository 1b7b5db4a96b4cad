package eval

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/ahead"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// judgeBuiltins are the builtins of queries that check something. Such a query
// has a result for what it could not read, too.
func judgeBuiltins() map[string]maker {
	return map[string]maker{"_judged/2": judged, "_apart/1": apartBuiltin}
}

// judged is _judged(f; unknown). It gives the results of f, and collects the
// faults that f meets: parts of the mesh that could not be read. Then it calls
// unknown once for each proxy with faults, with {proxy, subject, message}; proxy
// is null for faults of the mesh. Each result of f is read whole, so that its
// faults are met while f runs. Faults are reported to the user as usual. An error
// that f raises ends f and counts as a fault: one check never ends the others.
func judged(c *compiler, f *syntax.Func, s *scope) *node {
	body, unknown := c.query(f.Args[0], s), c.query(f.Args[1], s)
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		if m.Scout { // a scout's results are dropped
			return body.run(m, e, in, y)
		}
		j := &judgement{m: m, sink: m.Sink, muted: m.Muted}
		a := &apart{y: y}
		j.enter()
		err, passed := a.passed(body.run(m, e, in, func(v values.Located) error {
			whole, err := m.Deep(v.V)
			if err != nil {
				return err
			}
			j.leave()
			err = a.yield(in.Made(whole))
			j.enter()
			return err
		}))
		j.leave()
		if passed {
			return err
		}
		if err != nil && !j.takes(err) {
			return err
		}
		for _, l := range j.lacks {
			if err := unknown.run(m, e, in.Made(l.value()), y); err != nil {
				return err
			}
		}
		return nil
	})
}

// apartBuiltin is _apart(f). It gives the results of f. A fault ends f, but not
// the query around it.
func apartBuiltin(c *compiler, f *syntax.Func, s *scope) *node {
	body := c.query(f.Args[0], s)
	return gen(func(m *machine, e *env, in values.Located, y values.Yield) error {
		a := &apart{y: y}
		err, passed := a.passed(body.run(m, e, in, a.yield))
		if !passed && values.AsFault(err) != nil && m.Ctx.Err() == nil {
			return nil
		}
		return err
	})
}

// A judgement collects the faults that the machine meets between enter and
// leave: while it evaluates the body, not what consumes the body's results.
type judgement struct {
	m     *machine
	sink  func(ahead.Event) // the machine's own, outside of the body
	muted bool              // the machine's own, outside of the body
	lacks []*lack           // by proxy, in the order met
}

func (j *judgement) enter() { j.m.Sink, j.m.Muted = j.hear, false }
func (j *judgement) leave() { j.m.Sink, j.m.Muted = j.sink, j.muted }

// hear is the machine's sink inside of the body. It keeps a fault, unless an
// inner judgement has kept it, and passes every event on.
func (j *judgement) hear(ev ahead.Event) {
	if ev.Fault != nil && !ev.Judged {
		j.add(ev.Fault, j.m.Frame)
		ev.Judged = true
	}
	j.leave()
	j.m.Report(ev)
	j.enter()
}

// takes turns an error that ended the body into a fault and reports whether it
// did. It does for errors that the query raised; it does not for limits, the end
// of the run, or a source that has nothing to read.
func (j *judgement) takes(err error) bool {
	if values.AsFault(err) != nil && j.m.Ctx.Err() == nil {
		return true // hear has kept it
	}
	f := &mesh.Fault{Err: err}
	if e, ok := err.(*values.Error); ok {
		f.Proxy, f.Err = e.Element, e.Err
	}
	switch f.Err.(type) {
	case *values.LazyError, *values.ValueError, values.TextError, *native.Error, native.ValueError:
		j.add(f, j.m.Frame)
		j.m.Report(ahead.Event{Fault: f, Judged: true})
		return true
	}
	return false
}

// add keeps a fault, once, for the proxy that was being judged.
func (j *judgement) add(f *mesh.Fault, fr *ahead.Frame) {
	id := f.Proxy
	if fr != nil && fr.Proxy != nil {
		id = cmp.Or(values.ProxyID(fr.Proxy), id)
	}
	i := slices.IndexFunc(j.lacks, func(l *lack) bool { return l.proxy == id })
	if i < 0 {
		i = len(j.lacks)
		j.lacks = append(j.lacks, &lack{proxy: id})
	}
	j.lacks[i].add(f)
}

// A lack is what was missing to judge one proxy, or the mesh.
type lack struct {
	proxy string // its id; empty for the mesh
	facts []*lackingFor
}

// lackingFor are the sections that are missing for one reason.
type lackingFor struct {
	whose    string // who has them, where that is not the proxy that is judged
	fact     string
	sections []string
}

func (l *lack) add(f *mesh.Fault) {
	whose := cmp.Or(f.Proxy, f.Subject)
	fact := f.Fact()
	if whose != "" {
		fact = strings.TrimPrefix(fact, whose+": ")
	}
	if whose == l.proxy {
		whose = ""
	}
	i := slices.IndexFunc(l.facts, func(o *lackingFor) bool { return o.whose == whose && o.fact == fact })
	if i < 0 {
		i = len(l.facts)
		l.facts = append(l.facts, &lackingFor{whose: whose, fact: fact})
	}
	if s := f.Section; s != "" && !slices.Contains(l.facts[i].sections, s) {
		l.facts[i].sections = append(l.facts[i].sections, s)
	}
}

// value is what a query sees of it.
func (l *lack) value() *object.Object {
	var messages, sections []string
	for _, f := range l.facts {
		var parts []string
		for _, part := range []string{f.whose, strings.Join(f.sections, ", "), f.fact} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		messages = append(messages, strings.Join(parts, ": "))
		for _, s := range f.sections {
			if !slices.Contains(sections, s) {
				sections = append(sections, s)
			}
		}
	}
	v := object.Of("proxy", nil, "subject", nil, "message", strings.Join(messages, "; "))
	if l.proxy != "" {
		v.Set("proxy", l.proxy)
	}
	if len(sections) > 0 {
		v.Set("subject", strings.Join(sections, ", "))
	}
	return v
}
