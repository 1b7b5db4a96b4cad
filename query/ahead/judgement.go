package ahead

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/query/syntax/native"
	"github.com/meshq/kubectl-meshq/query/values"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Judgement collects the failed loads (faults) that a thread encounters while it
// evaluates a query that checks something. It collects from the call of [Thread.Judge] to
// the call of End, except while the consumer processes the query's results.
type Judgement struct {
	t     *Thread
	sink  func(Event) // the thread's Sink before the judgement replaced it
	muted bool        // the thread's Muted before the judgement replaced it
	lacks []*lack     // one entry for each proxy with failed loads, in the order of their first failure
}

// Judge starts to collect the thread's failed loads.
func (t *Thread) Judge() *Judgement {
	j := &Judgement{t: t, sink: t.Sink, muted: t.Muted}
	j.begin()
	return j
}

func (j *Judgement) begin() { j.t.Sink, j.t.Muted = j.keep, false }

// End stops collecting failed loads.
func (j *Judgement) End() { j.t.Sink, j.t.Muted = j.sink, j.muted }

// Outside calls f, and doesn't collect the loads that fail in f.
func (j *Judgement) Outside(f func() error) error {
	j.End()
	err := f()
	j.begin()
	return err
}

// keep receives the thread's events while failed loads are collected. It passes every
// event on to the previous receiver. If the event is a failed load that no nested
// judgement has recorded yet, keep records it.
func (j *Judgement) keep(ev Event) {
	if ev.Fault != nil && !ev.Judged {
		j.add(ev.Fault)
		ev.Judged = true
	}
	_ = j.Outside(func() error { j.t.Report(ev); return nil })
}

// Missing returns one object {proxy, subject, message} for each proxy with failed loads,
// in the order of their first failure. The member proxy is null for failures that concern
// the whole mesh.
func (j *Judgement) Missing() (all []*object.Object) {
	for _, l := range j.lacks {
		all = append(all, l.value())
	}
	return all
}

// Takes reports whether it recorded err, the error that ended the query, as a failed
// load. It records errors that the query raised. It doesn't record an exceeded limit, the
// end of the run, or a source that contains nothing to read.
func (j *Judgement) Takes(err error) bool {
	if values.AsFault(err) != nil && j.t.Ctx.Err() == nil {
		return true // the method keep has already recorded this failed load
	}
	f := &mesh.Fault{Err: err}
	if e, ok := err.(*values.Error); ok {
		f.Proxy, f.Err = e.Element, e.Err
	}
	switch f.Err.(type) {
	case *values.LazyError, *values.ValueError, values.TextError, *native.Error, native.ValueError:
		j.add(f)
		j.t.Report(Event{Fault: f, Judged: true})
		return true
	}
	return false
}

// add records a failed load for the proxy that is being checked. Equal failures are
// recorded only once.
func (j *Judgement) add(f *mesh.Fault) {
	id := f.Proxy
	if fr := j.t.Frame; fr != nil && fr.Proxy != nil {
		id = cmp.Or(values.ProxyID(fr.Proxy), id)
	}
	i := slices.IndexFunc(j.lacks, func(l *lack) bool { return l.proxy == id })
	if i < 0 {
		i = len(j.lacks)
		j.lacks = append(j.lacks, &lack{proxy: id})
	}
	j.lacks[i].add(f)
}

// A lack lists the facts that were missing to check one proxy, or to check the mesh as a
// whole.
type lack struct {
	proxy string // id of the proxy; empty for the mesh as a whole
	facts []*lackingFor
}

// A lackingFor lists the sections (such as clusters or routes) that are missing for the
// same reason.
type lackingFor struct {
	whose    string // the proxy or istiod whose sections are missing; empty for the proxy that is being checked
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

// value returns the missing facts as an object {proxy, subject, message}.
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
