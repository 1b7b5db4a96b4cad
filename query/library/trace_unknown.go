package library

import (
	"errors"
	"math"
	"strings"

	"github.com/meshq/kubectl-meshq/query/routing"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A doubt is what an answer depends on and could not know, and why.
type doubt struct{ what, why string }

func (d doubt) value() any { return object.Of("what", d.what, "why", d.why) }

// unknowns are those of one answer, each once, in the order met.
type unknowns struct {
	all  []doubt
	tell func(*mesh.Fault) // tells the user of a part that can't be read
}

func (u *unknowns) add(one doubt) {
	for _, old := range u.all {
		if old == one {
			return
		}
	}
	u.all = append(u.all, one)
}

// unread notes an error that says that a part of the document of owner can't
// be read, and tells the user of it. It tells whether the error is such a one;
// any other ends the answer.
func (u *unknowns) unread(owner any, err error) bool {
	var f *mesh.Fault
	if !errors.As(err, &f) {
		return false
	}
	what := f.Section
	if o, ok := owner.(*mesh.Object); ok && f.Proxy != "" {
		if id, _ := o.Member("id"); id != f.Proxy {
			what += " of " + f.Proxy
		}
	}
	u.add(doubt{what, f.Fact()})
	if u.tell != nil {
		u.tell(f)
	}
	return true
}

// missing notes a part that is there and doesn't say what the answer needs,
// and tells the user of it as of one that can't be read.
func (u *unknowns) missing(owner any, one doubt) {
	id := ""
	if o, ok := owner.(*mesh.Object); ok {
		if v, _ := o.Member("id"); v != nil {
			id, _ = v.(string)
		}
	}
	u.unread(owner, &mesh.Fault{Proxy: id, Section: one.what, Err: errors.New(one.why)})
}

func (u *unknowns) values() []any {
	out := []any{}
	for _, one := range u.all {
		out = append(out, one.value())
	}
	return out
}

// unread notes an error of a part that can't be read, unless the run is ending.
func (w *walk) unread(err error) bool {
	return w.ctx.Err() == nil && w.unknowns.unread(w.proxy, err)
}

// unless ends the walk where an error says that a part it needs can't be read:
// what was found so far is the answer. Any other error is given back.
func (w *walk) unless(err error) error {
	if err == nil || !w.unread(err) {
		return err
	}
	return w.end(notKnown)
}

// unsure notes what the configuration alone doesn't say. A text may say why:
// "the address of cart (no Kubernetes Service)".
func (w *walk) unsure(what ...string) {
	for _, s := range what {
		known := s == ""
		for _, old := range w.unsupported {
			known = known || old == s
		}
		if known {
			continue
		}
		w.unsupported = append(w.unsupported, s)
		one := doubt{s, mesh.NotConfigured}
		if name, why, ok := strings.Cut(s, " ("); ok && strings.HasSuffix(why, ")") {
			one = doubt{name, strings.TrimSuffix(why, ")")}
		}
		w.unknowns.add(one)
	}
}

// unsureAddress notes why the destination's address isn't known.
func (w *walk) unsureAddress() {
	w.unsure(w.unknown)
	if w.unknown != "" && w.listless != nil && w.tell != nil {
		w.tell(w.listless)
	}
}

// adopt takes over what an inner walk could not know.
func (w *walk) adopt(inner *walk) {
	w.unsure(inner.unsupported...)
	for _, one := range inner.unknowns.all {
		w.unknowns.add(one)
	}
}

// An outcome is a share of the traffic and where it ends: at an endpoint where
// the reason is empty.
type outcome struct {
	reason string
	share  float64
}

// arrives tells whether a reason is one of traffic that gets to an endpoint.
func arrives(reason string) bool { return reason == "" || reason == passthrough }

// negligible is a share that is there only by rounding.
const negligible = 1e-9

func (w *walk) outcome(reason string, share float64) {
	if share < negligible {
		return
	}
	for i := range w.outcomes {
		if w.outcomes[i].reason == reason {
			w.outcomes[i].share += share
			return
		}
	}
	w.outcomes = append(w.outcomes, outcome{reason, share})
}

// ended gives all shares of the traffic: those that arrive first. The part that
// a fault aborts never gets to a cluster.
func (w *walk) ended() []outcome {
	all := w.outcomes
	if len(all) == 0 {
		return []outcome{{w.reason, 1}}
	}
	var out []outcome
	for _, first := range []bool{true, false} {
		for _, o := range all {
			if arrives(o.reason) == first {
				out = append(out, outcome{o.reason, o.share * (1 - w.aborts)})
			}
		}
	}
	if w.aborts > 0 {
		out = append(out, outcome{aborted, w.aborts})
	}
	return out
}

func (w *walk) endedValues() []any {
	out := []any{}
	for _, o := range w.ended() {
		out = append(out, object.Of("share", math.Round(o.share*(1/negligible))/(1/negligible), "reason", orNull(o.reason)))
	}
	return out
}

// lost is why a share of a cluster's traffic gets nowhere, where nothing else
// says it: too few endpoints are fit.
const lost = routing.AllUnhealthy
