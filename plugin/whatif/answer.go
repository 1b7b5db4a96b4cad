package whatif

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/predict"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// An answer is everything that the command says about a change.
type answer struct {
	prediction *predict.Prediction
	groups     []*group
	still      []*predict.Class // the classes that are sent a push in which nothing differs

	fresh, cured []finding // findings with the change and not without it, and the other way round
	unjudged     []finding // verdicts of checks that are unknown with the change
	traces       []traced
	faults       []*mesh.Fault
	reasons      []string // why nothing changes, as far as the objects tell
}

// A group is a set of proxies whose configuration changes in the same way.
type group struct {
	proxies []string
	changes []diff.Change
	patches []diff.Section // the sections that differ, for -o jsonpatch
}

// add adds the members of a class.
func (g *group) add(c *predict.Class) {
	for _, m := range c.Members {
		g.proxies = append(g.proxies, m.ID)
	}
}

// newAnswer puts the answer together. answers are the sources of the mesh.
func newAnswer(ctx context.Context, r *run.Run, p *predict.Prediction, answers []transport.Source, q *flags) (*answer, error) {
	a := &answer{prediction: p}
	before, after := p.Sources(answers)
	sides := [2][]transport.Source{{before}, {after}}
	if err := a.compare(ctx, r, sides); err != nil {
		return nil, err
	}
	if !p.Changes() {
		a.reasons = p.Reasons()
	}
	// Without a difference, both sides have the same findings.
	if len(a.groups) > 0 || p.ChangesObjects() {
		if err := a.judge(ctx, r, sides); err != nil {
			return nil, err
		}
	}
	for _, request := range q.requests {
		if err := a.trace(ctx, r, sides, request); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// compare finds the differences of the classes that change, and groups the classes
// whose differences are equal. It compares what istiod sends, so it contacts no Envoy.
func (a *answer) compare(ctx context.Context, r *run.Run, sides [2][]transport.Source) error {
	var open [2]*sources.Mesh
	var all [2]map[string]*mesh.Object
	for i := range sides {
		m, err := sources.Open(ctx, sources.Options{
			Sources: sides[i], Keep: true, Memory: int64(r.Sections()), Concurrency: r.Concurrency, Now: r.Started, Clock: r.Now,
		})
		if err != nil {
			return err
		}
		defer m.Close()
		if all[i], err = byID(ctx, m); err != nil {
			return err
		}
		open[i] = m
	}
	at, known := map[string]*group{}, map[string]*group{} // by the text of the differences, and by what changes in istiod's resources
	for _, c := range a.prediction.Classes {
		if !c.Changes() {
			if len(c.Pushed) > 0 {
				a.still = append(a.still, c)
			}
			continue
		}
		delta := c.Delta()
		if g, ok := known[delta]; ok {
			if g == nil {
				a.still = append(a.still, c)
			} else {
				g.add(c)
			}
			continue
		}
		g := &group{}
		id := c.Members[0].ID
		if all[0][id] == nil || all[1][id] == nil {
			return fmt.Errorf("%s is not in the predicted mesh", id)
		}
		x, err := open[0].Desired(ctx, all[0][id])
		if err != nil {
			return err
		}
		y, err := open[1].Desired(ctx, all[1][id])
		if err != nil {
			return err
		}
		err = diff.Proxies(ctx, x, y, diff.Sections(), func(s diff.Section) error {
			g.changes = append(g.changes, s.Changes()...)
			if s.Edit != nil {
				g.patches = append(g.patches, s)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(g.changes) == 0 { // the resources differ in a way that makes no difference to Envoy
			a.still, known[delta] = append(a.still, c), nil
			continue
		}
		key := strings.Join(g.lines(0), "\n")
		if at[key] == nil {
			at[key] = g
			a.groups = append(a.groups, g)
		}
		at[key].add(c)
		known[delta] = at[key]
	}
	slices.SortStableFunc(a.groups, func(x, y *group) int { return len(y.proxies) - len(x.proxies) })
	for _, g := range a.groups {
		slices.Sort(g.proxies)
	}
	return nil
}

func byID(ctx context.Context, m *sources.Mesh) (map[string]*mesh.Object, error) {
	v, err := mesh.Get(ctx, m.Document(), "proxies")
	if err == nil {
		v, err = mesh.Force(ctx, v)
	}
	all := map[string]*mesh.Object{}
	list, _ := v.([]any)
	for _, p := range list {
		o, ok := p.(*mesh.Object)
		if !ok {
			continue
		}
		id, err := mesh.Get(ctx, o, "id")
		if err != nil {
			return nil, err
		}
		name, _ := id.(string)
		all[name] = o
	}
	return all, err
}

// A finding is a finding of a check, as JSON.
type finding map[string]any

func (f finding) text(field string) string { s, _ := f[field].(string); return s }

// breaks reports whether a new finding is one that a change must not cause.
func (f finding) breaks() bool {
	return f.text("severity") == "error" || f.text("severity") == "warning"
}

// who returns the proxies that a finding is about.
func (f finding) who() []string {
	if list, ok := f["proxies"].([]any); ok {
		var all []string
		for _, p := range list {
			if s, ok := p.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	if p := f.text("proxy"); p != "" {
		return []string{p}
	}
	return nil
}

// judged returns the proxies over which the checks are run: the first one of each
// class that changes, or of the first class if none does, so that the checks of the
// mesh as a whole are run. Of the other classes, both sides have the same findings.
func (a *answer) judged() (ids []string) {
	for _, c := range a.prediction.Classes {
		if c.Changes() {
			ids = append(ids, c.Members[0].ID)
		}
	}
	if len(ids) == 0 {
		ids = append(ids, a.prediction.Classes[0].Members[0].ID)
	}
	return ids
}

// ofClasses replaces each proxy of a finding by all members of its class.
func (a *answer) ofClasses(f finding) finding {
	who := f.who()
	var all []string
	for _, c := range a.prediction.Classes {
		if slices.Contains(who, c.Members[0].ID) {
			for _, m := range c.Members {
				all = append(all, m.ID)
			}
		}
	}
	if len(all) > len(who) {
		f["proxies"], f["proxy"] = anySlice(all), proxies(len(all))
	}
	return f
}

// judge runs the checks over both sides and compares their findings.
func (a *answer) judge(ctx context.Context, r *run.Run, sides [2][]transport.Source) error {
	var found [2][]finding
	for i := range sides {
		all, faults, err := run.Findings(ctx, r, sides[i], a.judged())
		if err != nil {
			return err
		}
		if i == 1 {
			a.faults = append(a.faults, withoutGate(faults)...)
		}
		for _, v := range all {
			f, ok := v.(map[string]any)
			switch {
			case !ok:
				return errors.New("a check whose result is no finding")
			case finding(f).text("severity") != "unknown":
				found[i] = append(found[i], a.ofClasses(f))
			case i == 1:
				a.unjudged = append(a.unjudged, a.ofClasses(f))
			}
		}
	}
	a.fresh, a.cured = beyond(found[1], found[0]), beyond(found[0], found[1])
	return nil
}

// withoutGate leaves out the fault of an unverified baseline, which the answer reports
// itself.
func withoutGate(all []*mesh.Fault) []*mesh.Fault {
	return slices.DeleteFunc(all, func(f *mesh.Fault) bool { return f.Subject == predict.Subject })
}

// beyond returns the findings of a that b doesn't have. If b has a finding, but not of
// all its proxies, the proxies that are missing in b remain.
func beyond(a, b []finding) (out []finding) {
	known := map[string]finding{}
	for _, f := range b {
		known[f.key()] = f
	}
	for _, f := range a {
		old, ok := known[f.key()]
		if !ok {
			out = append(out, f)
			continue
		}
		before := old.who()
		more := slices.DeleteFunc(f.who(), func(p string) bool { return slices.Contains(before, p) })
		if len(more) == 0 {
			continue
		}
		c := finding{}
		for k, v := range f {
			c[k] = v
		}
		c["proxies"], c["proxy"] = anySlice(more), proxies(len(more))
		out = append(out, c)
	}
	return out
}

// key identifies a finding, whichever proxies it is about if it is about several.
func (f finding) key() string {
	of := ""
	if f["proxies"] == nil {
		of = f.text("proxy")
	}
	return strings.Join([]string{f.text("check"), of, f.text("subject"), f.text("message")}, "\x00")
}

func anySlice(all []string) []any {
	out := make([]any, len(all))
	for i, s := range all {
		out[i] = s
	}
	return out
}

// A traced is a request that was traced before and after the change.
type traced struct {
	proxy, url    string
	before, after map[string]any
}

// reached reports whether all of the traffic of a trace reaches an endpoint.
func reached(trace map[string]any) bool {
	outcomes, _ := trace["outcomes"].([]any)
	return trace["reached"] == true && !slices.ContainsFunc(outcomes, func(o any) bool {
		m, _ := o.(map[string]any)
		return m["reason"] != nil
	})
}

// broke reports whether all of the traffic reaches an endpoint before the change, and
// not all of it after the change.
func (t traced) broke() bool { return reached(t.before) && !reached(t.after) }

// trace traces one request, given as PROXY=URL, over both sides.
func (a *answer) trace(ctx context.Context, r *run.Run, sides [2][]transport.Source, request string) error {
	t := traced{}
	t.proxy, t.url, _ = strings.Cut(request, "=")
	for i, side := range []*map[string]any{&t.before, &t.after} {
		q := &run.Request{File: "trace", Ours: true, Traces: true, Query: fmt.Sprintf(".proxy(%s) | trace({url: %s})", quoted(t.proxy), quoted(t.url))}
		all, faults, err := run.Collect(ctx, r, q, sides[i])
		if err != nil {
			return run.Unplaced(err)
		}
		a.faults = append(a.faults, withoutGate(faults)...)
		if len(all) == 1 {
			*side, _ = all[0].(map[string]any)
		}
		if unknowns, _ := (*side)["unknowns"].([]any); len(unknowns) > 0 || *side == nil {
			a.unjudged = append(a.unjudged, finding{"check": "trace", "severity": "unknown", "proxy": t.proxy, "subject": t.url, "message": "the trace needs something that is not known"})
		}
	}
	a.traces = append(a.traces, t)
	return nil
}

// quoted returns a value as jq source text.
func quoted(v any) string {
	text, _ := json.Marshal(v) // a string always has a JSON form
	return string(text)
}
