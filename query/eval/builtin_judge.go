package eval

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// judgeBuiltins are for queries that judge: what they could not read is a
// result, too.
func judgeBuiltins() map[string]builtin {
	return map[string]builtin{"_judged/2": judged, "_apart/1": apartBuiltin}
}

// judged is _judged(f; unknown): what f gives, and then what unknown gives of
// {proxy, subject, message} for each proxy, or null for the mesh, for which f
// met a fault: something that f needs was not read. What f gives is read whole
// here, so that nothing of it is missed later. A fault is reported to the user
// as ever. An error that f raises itself ends f and becomes such a fault,
// so that one of several judgements never ends the others.
func judged(c *compiler, f *syntax.Func, s *scope) *node {
	body, unknown := c.query(f.Args[0], s), c.query(f.Args[1], s)
	return gen(func(m *mach, e *env, in pv, y yield) error {
		if m.scout { // its results don't count
			return body.run(m, e, in, y)
		}
		j := &judgement{m: m, sink: m.sink, muted: m.muted}
		a := &apart{y: y}
		j.enter()
		err, passed := a.passed(body.run(m, e, in, func(v pv) error {
			whole, err := m.deep(v.v)
			if err != nil {
				return err
			}
			j.leave()
			err = a.yield(in.val(whole))
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
			if err := unknown.run(m, e, in.val(l.value()), y); err != nil {
				return err
			}
		}
		return nil
	})
}

// apartBuiltin is _apart(f): what f gives. A fault that f meets ends f alone:
// what is evaluated beside it goes on.
func apartBuiltin(c *compiler, f *syntax.Func, s *scope) *node {
	body := c.query(f.Args[0], s)
	return gen(func(m *mach, e *env, in pv, y yield) error {
		a := &apart{y: y}
		err, passed := a.passed(body.run(m, e, in, a.yield))
		if !passed && asFault(err) != nil && m.ctx.Err() == nil {
			return nil
		}
		return err
	})
}

// A judgement collects the faults that are met while a body is evaluated. What
// follows the body is evaluated between enter and leave of others.
type judgement struct {
	m     *mach
	sink  func(event) // of what is around
	muted bool        // what is around was told already; the body is judged again all the same
	lacks []*lack     // by proxy, in the order met
}

func (j *judgement) enter() { j.m.sink, j.m.muted = j.hear, false }
func (j *judgement) leave() { j.m.sink, j.m.muted = j.sink, j.muted }

// hear keeps a fault, unless a judgement inside did, and passes on whatever is
// told.
func (j *judgement) hear(ev event) {
	if ev.fault != nil && !ev.judged {
		j.add(ev.fault, j.m.frame)
		ev.judged = true
	}
	j.leave()
	j.m.tell(ev)
	j.enter()
}

// takes makes a fault of an error that ended the body, where that is one of
// the query's own: limits, the end of the run and errors of the sources, as
// that there is nothing to read at all, are not.
func (j *judgement) takes(err error) bool {
	if asFault(err) != nil && j.m.ctx.Err() == nil {
		return true // it was heard where it was met
	}
	f := &mesh.Fault{Err: err}
	if e, ok := err.(*Error); ok {
		f.Proxy, f.Err = e.Element, e.Err
	}
	switch f.Err.(type) {
	case *wordsError, *valueError, plainError, *native.Error, native.ValueError:
		j.add(f, j.m.frame)
		j.m.tell(event{fault: f, judged: true})
		return true
	}
	return false
}

// add keeps a fault, once, for the proxy that was being judged.
func (j *judgement) add(f *mesh.Fault, fr *frame) {
	id := f.Proxy
	if fr != nil && fr.proxy != nil {
		id = cmp.Or(proxyID(fr.proxy), id)
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
func (l *lack) value() map[string]any {
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
	v := map[string]any{"proxy": nil, "subject": nil, "message": strings.Join(messages, "; ")}
	if l.proxy != "" {
		v["proxy"] = l.proxy
	}
	if len(sections) > 0 {
		v["subject"] = strings.Join(sections, ", ")
	}
	return v
}
