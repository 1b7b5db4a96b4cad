package whatif

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/meshq/kubectl-meshq/plugin/diffcmd"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/query/library"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/predict"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// print prints the answer in the format that the flags select. answers are the sources
// of the mesh.
func (a *answer) print(ctx context.Context, r *run.Run, q *flags, answers []transport.Source) error {
	var out any
	switch external := r.Env("KUBECTL_EXTERNAL_DIFF") != "" && len(a.groups) > 0; {
	case q.patch:
		out = a.patch()
	case r.Output.Format != "":
		out = a.object()
	case external:
		if err := a.text(r.Stdout, true); err != nil {
			return err
		}
		var firsts []string
		for _, g := range a.groups {
			firsts = append(firsts, g.proxies[0])
		}
		before, after := a.prediction.Sources(answers)
		return diffcmd.Between(ctx, r, before, after, firsts)
	default:
		return a.text(r.Stdout, false)
	}
	if err := r.OpenPrinter(ctx); err != nil {
		return err
	}
	rendered, err := r.Printer.Render(ctx, out)
	if err == nil {
		err = r.Printer.Print(rendered)
	}
	if err != nil {
		return err
	}
	return r.Printer.Close()
}

// mostLines is the number of differences of a group, and of findings, that the text
// shows.
const mostLines = 30

// text prints the answer for people. With isBrief, it leaves the differences out.
func (a *answer) text(w io.Writer, isBrief bool) error {
	p := a.prediction
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	say := func(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }
	for i, e := range p.Overlay.Edits {
		verb, v := "admitted", p.Verdicts[i]
		switch {
		case v.Refused != "":
			verb = "REFUSED: " + process.OneLine(v.Refused)
		case e.Remove:
			verb = "deleted"
		}
		say("admission\t%s\t%s", e.Name(), verb)
		for _, warning := range v.Warnings {
			say("\t\twarning: %s", process.OneLine(warning))
		}
	}
	say("baseline\t%s", a.baseline())
	for _, line := range a.gateLines() {
		say("\t%s", line)
	}
	for _, note := range p.Notes() {
		say("not known\t%s", note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(p.Overlay.Edits) == p.RefusedCount() {
		return nil // no object is left that could change anything
	}
	mark := ""
	if !p.Gate.Passed() {
		mark = " (unverified)"
	}
	fmt.Fprintln(w)
	if len(a.groups) == 0 {
		fmt.Fprintf(w, "no proxy's configuration changes%s\n", mark)
		for _, reason := range a.reasons {
			fmt.Fprintln(w, "  "+process.OneLine(reason))
		}
	} else {
		fmt.Fprintf(w, "%s of %d change%s\n", proxies(a.changing()), p.Gate.Proxies, mark)
	}
	for _, g := range a.groups {
		fmt.Fprintln(w, "\n"+g.title())
		if isBrief {
			continue
		}
		for _, l := range g.lines(mostLines) {
			fmt.Fprintln(w, "  "+l)
		}
	}
	if len(a.still) > 0 {
		fmt.Fprintln(w, "\npushed without a difference")
		for _, l := range a.stillLines() {
			fmt.Fprintln(w, "  "+l)
		}
	}
	findings(w, "new findings"+mark, a.fresh)
	findings(w, "cured findings"+mark, a.cured)
	findings(w, "unknown", a.unjudged)
	for _, t := range a.traces {
		t.text(w)
	}
	return nil
}

func (a *answer) changing() (n int) {
	for _, g := range a.groups {
		n += len(g.proxies)
	}
	return n
}

// baseline says in one line whether the baseline is verified.
func (a *answer) baseline() string {
	g := a.prediction.Gate
	text := fmt.Sprintf("verified: %d of %s as your istiod sends them", g.Verified, proxies(g.Proxies))
	if !g.Passed() {
		text = fmt.Sprintf("UNVERIFIED: only %d of %s are as your istiod sends them", g.Verified, proxies(g.Proxies))
	}
	if g.Redacted > 0 {
		text += fmt.Sprintf(", except %s that the snapshot has redacted", run.Plural(g.Redacted, "text", "texts"))
	}
	if n := len(a.prediction.Classes); n < g.Proxies {
		text += fmt.Sprintf(" (%d kinds of proxies, one of each asked)", n)
	}
	if skew := a.prediction.Skew(); skew != "" && g.Passed() {
		text += "; " + skew
	}
	return text
}

// mostNames is the number of names that a line of the text lists.
const mostNames = 3

func (a *answer) gateLines() (lines []string) {
	g := a.prediction.Gate
	for i, d := range g.Different {
		if i == mostNames {
			lines = append(lines, fmt.Sprintf("and %d more sections differ", len(g.Different)-i))
			break
		}
		names := d.Resources
		more := ""
		if len(names) > mostNames {
			names, more = names[:mostNames], fmt.Sprintf(" and %d more", len(d.Resources)-mostNames)
		}
		lines = append(lines, fmt.Sprintf("%s: %s differ: %s%s", d.Proxy, d.Section, strings.Join(names, ", "), more))
	}
	for i, f := range g.Unknown {
		if i == mostNames {
			lines = append(lines, fmt.Sprintf("and %d more proxies could not be compared", len(g.Unknown)-i))
			break
		}
		lines = append(lines, process.OneLine(f.Error()))
	}
	for _, c := range g.Causes {
		lines = append(lines, "likely cause: "+process.OneLine(c))
	}
	return lines
}

// stillLines lists the proxies that are sent a push without a difference, by the types
// of the push.
func (a *answer) stillLines() (lines []string) {
	var order []string
	by := map[string][]string{}
	for _, c := range a.still {
		var types []string
		for _, t := range c.Pushed {
			types = append(types, string(predict.SectionOf(t)))
		}
		key := strings.Join(types, ", ")
		if by[key] == nil {
			order = append(order, key)
		}
		for _, m := range c.Members {
			by[key] = append(by[key], m.ID)
		}
	}
	for _, key := range order {
		names := by[key]
		more := ""
		if len(names) > mostNames {
			names, more = names[:mostNames], fmt.Sprintf(" and %d more", len(by[key])-mostNames)
		}
		lines = append(lines, key+": "+strings.Join(names, ", ")+more)
	}
	return lines
}

func (g *group) title() string { return named(len(g.proxies), g.proxies[0]) }

// named names a set of proxies by its first one.
func named(n int, first string) string {
	if n == 1 {
		return first
	}
	return fmt.Sprintf("%s and %d like it", first, n-1)
}

// lines returns the differences of a group, one line each, at most so many; 0 means
// all.
func (g *group) lines(most int) (lines []string) {
	for i, c := range g.changes {
		if most > 0 && i == most {
			return append(lines, fmt.Sprintf("and %d more differences: see -o json", len(g.changes)-most))
		}
		lines = append(lines, line(c))
	}
	return lines
}

// line returns a difference as one line: what it is about, the values, and the Istio
// object that it comes from.
func line(c diff.Change) string {
	name := ""
	if c.Resource != nil {
		name = c.Resource.Name
		if c.Resource.Address != "" {
			name += " " + c.Resource.Address
		}
	}
	text := string(c.Section.Name) + " " + name
	if len(c.Within) > 0 {
		text += " " + strings.Join(c.Within, " ")
	}
	switch path := diff.PathText(c.Path); {
	case len(c.Path) == 0 && !c.InB:
		text = "- " + text
	case len(c.Path) == 0 && !c.InA:
		text = "+ " + text
	case !c.InA:
		text = "~ " + text + " " + path + " added: " + brief(c.B)
	case !c.InB:
		text = "~ " + text + " " + path + " removed: " + brief(c.A)
	default:
		text = "~ " + text + " " + path + ": " + brief(c.A) + " → " + brief(c.B)
	}
	if c.Source != "" {
		text += "  (" + c.Source + ")"
	}
	return process.OneLine(text)
}

// longestValue is the number of characters of a value that a line shows.
const longestValue = 80

func brief(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "…"
	}
	if s := []rune(string(text)); len(s) > longestValue {
		return string(s[:longestValue]) + "…"
	}
	return string(text)
}

func findings(w io.Writer, title string, all []finding) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for i, f := range all {
		if i == mostLines {
			fmt.Fprintf(w, "  and %d more: see -o json\n", len(all)-mostLines)
			return
		}
		of := ""
		if who := f.who(); len(who) > 0 {
			of = named(len(who), who[0])
		}
		words := []string{f.text("severity"), f.text("check"), of, f.text("subject"), f.text("message")}
		var said []string
		for _, word := range words {
			if word != "" {
				said = append(said, process.OneLine(word))
			}
		}
		fmt.Fprintln(w, "  "+strings.Join(said, "  "))
		if next := f.text("next"); next != "" && f.text("severity") != "unknown" {
			fmt.Fprintln(w, "    "+process.OneLine(next))
		}
	}
}

func (t traced) text(w io.Writer) {
	fmt.Fprintf(w, "\n%s from %s\n", process.OneLine(t.url), process.OneLine(t.proxy))
	fmt.Fprintln(w, "  before: "+destination(t.before))
	fmt.Fprintln(w, "  after:  "+destination(t.after))
}

// destination says where the traffic of a trace ends.
func destination(trace map[string]any) string {
	if trace == nil {
		return "unknown"
	}
	where := clusters(trace)
	if !reached(trace) {
		var ends []string
		outcomes, _ := trace["outcomes"].([]any)
		for _, o := range outcomes {
			m, _ := o.(map[string]any)
			end := "an endpoint"
			if reason, ok := m["reason"].(string); ok {
				end = reason
			}
			ends = append(ends, fmt.Sprintf("%v of the traffic: %s", m["share"], end))
		}
		where = strings.TrimSpace(where + " (" + strings.Join(ends, ", ") + ")")
	}
	return process.OneLine(where)
}

// clusters lists the clusters that a trace passes, with their shares.
func clusters(trace map[string]any) string {
	steps, _ := trace["steps"].([]any)
	var all []string
	for _, s := range steps {
		m, _ := s.(map[string]any)
		if m["step"] != "cluster" {
			continue
		}
		name, _ := m["name"].(string)
		if reason, ok := m["reason"].(string); ok {
			name += " (" + reason + ")"
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}

// object returns the answer as an object, for -o json and the like.
func (a *answer) object() *object.Object {
	p := a.prediction
	admission, refused := []any{}, []any{}
	for i, e := range p.Overlay.Edits {
		v := p.Verdicts[i]
		o := object.Of("object", e.Name(), "admitted", v.Refused == "", "deleted", e.Remove, "message", mesh.OrNull(v.Refused), "warnings", anySlice(v.Warnings))
		admission = append(admission, o)
		if v.Refused != "" {
			refused = append(refused, object.Of("object", e.Name(), "message", v.Refused))
		}
	}
	changes := []any{}
	for _, g := range a.groups {
		all := []any{}
		for _, c := range g.changes {
			all = append(all, library.Difference(c, nil, "before", "after"))
		}
		changes = append(changes, object.Of("proxies", anySlice(g.proxies), "differences", all))
	}
	pushed := []any{}
	for _, c := range a.still {
		types := []any{}
		for _, t := range c.Pushed {
			types = append(types, string(predict.SectionOf(t)))
		}
		pushed = append(pushed, object.Of("proxies", ids(c), "sections", types))
	}
	traces := []any{}
	for _, t := range a.traces {
		traces = append(traces, object.Of("proxy", t.proxy, "url", t.url, "before", plain(t.before), "after", plain(t.after)))
	}
	return object.Of(
		"kind", "WhatIf", "refused", refused, "admission", admission, "verified", p.Gate.Passed(), "baseline", a.gate(), "changes", changes,
		"pushedWithoutDifference", pushed, "reasons", anySlice(a.reasons),
		"newFindings", plain(a.fresh), "curedFindings", plain(a.cured), "unknown", plain(a.unjudged), "traces", traces,
		"notes", anySlice(p.Notes()), "blocked", anySlice(p.Blocked),
	)
}

func ids(c *predict.Class) []any {
	all := []any{}
	for _, m := range c.Members {
		all = append(all, m.ID)
	}
	return all
}

func (a *answer) gate() *object.Object {
	g := a.prediction.Gate
	different, unknown := []any{}, []any{}
	for _, d := range g.Different {
		different = append(different, object.Of("proxy", d.Proxy, "section", string(d.Section), "resources", anySlice(d.Resources), "onlyDigests", d.Digests))
	}
	for _, f := range g.Unknown {
		unknown = append(unknown, f.Error())
	}
	return object.Of(
		"proxies", g.Proxies, "verified", g.Verified, "classes", len(a.prediction.Classes), "redacted", g.Redacted, "different", different, "unknown", unknown, "causes", anySlice(g.Causes),
		"istiod", mesh.OrNull(a.prediction.Inputs.Version), "binary", mesh.OrNull(a.prediction.Binary), "skew", mesh.OrNull(a.prediction.Skew()),
	)
}

// patch returns the JSON Patch of each group.
func (a *answer) patch() any {
	all := []any{}
	for _, g := range a.groups {
		operations := []any{}
		for _, s := range g.patches {
			operations = append(operations, library.PatchOperations(s)...)
		}
		all = append(all, object.Of("proxies", anySlice(g.proxies), "patch", operations))
	}
	return all
}

// plain converts decoded JSON to values of the document.
func plain(v any) any {
	switch v := v.(type) {
	case finding:
		return plain(map[string]any(v))
	case []finding:
		out := []any{}
		for _, f := range v {
			out = append(out, plain(f))
		}
		return out
	case map[string]any:
		if v == nil {
			return nil
		}
		out := object.New(len(v))
		for _, k := range sortedKeys(v) {
			out.Set(k, plain(v[k]))
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, _ := v.Float64()
		return f
	}
	return v
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
