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

// A Judgement collects the faults that a thread encounters while it evaluates a
// query that checks something. It collects them from [Thread.Judge] to End, except
// for faults that occur while the results of the query are consumed.
type Judgement struct {
	t     *Thread
	sink  func(Event) // Sink of the thread before it began to collect faults
	muted bool        // Muted of the thread before it began to collect faults
	lacks []*lack     // one entry for each proxy, in the order of their first faults
}

// Judge starts to collect faults.
func (t *Thread) Judge() *Judgement {
	j := &Judgement{t: t, sink: t.Sink, muted: t.Muted}
	j.begin()
	return j
}

func (j *Judgement) begin() { j.t.Sink, j.t.Muted = j.keep, false }

// End stops collecting faults.
func (j *Judgement) End() { j.t.Sink, j.t.Muted = j.sink, j.muted }

// Outside calls f, and doesn't collect the faults that occur in f.
func (j *Judgement) Outside(f func() error) error {
	j.End()
	err := f()
	j.begin()
	return err
}

// keep is the thread's sink while the judgement collects faults. It reports every
// event to the previous sink. If the event is a fault that no nested judgement has
// recorded yet, keep records it.
func (j *Judgement) keep(ev Event) {
	if ev.Fault != nil && !ev.Judged {
		j.add(ev.Fault)
		ev.Judged = true
	}
	_ = j.Outside(func() error { j.t.Report(ev); return nil })
}

// Missing returns an object {proxy, subject, message} for each proxy with faults,
// in the order of their first faults. The member proxy is null for faults that
// belong to the mesh.
func (j *Judgement) Missing() (all []*object.Object) {
	for _, l := range j.lacks {
		all = append(all, l.value())
	}
	return all
}

// Takes reports whether it converted an error that ended the query into a fault. It
// converts errors that the query raised. It doesn't convert the errors for an
// exceeded limit, for the end of the run, or for a source that contains nothing to
// read.
func (j *Judgement) Takes(err error) bool {
	if values.AsFault(err) != nil && j.t.Ctx.Err() == nil {
		return true // keep has already recorded the fault
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

// add records a fault for the proxy that is being checked. It records equal faults
// only once.
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

// A lack lists the facts that were missing to check one proxy, or to check the
// mesh.
type lack struct {
	proxy string // id of the proxy; empty for the mesh
	facts []*lackingFor
}

// A lackingFor lists the sections that are missing for the same reason.
type lackingFor struct {
	whose    string // the proxy or istiod that the sections belong to; empty for the proxy that is checked
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

// value converts the lack to an object {proxy, subject, message}.
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
