package printers

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// NewTree gives a printer that shows the way of a request as a tree, a step a
// line; whatever else a result is, it is printed as without.
func NewTree(o Options) (Printer, error) {
	p, err := New(o)
	if err != nil {
		return nil, err
	}
	return &tree{Printer: p, opts: o}, nil
}

type tree struct {
	Printer
	opts Options
}

// branches is a rendered tree.
type branches struct{ text string }

func (t *tree) Render(ctx context.Context, v any) (any, error) {
	o, ok := v.(*mesh.Object)
	if !ok || o.Kind != "Trace" {
		return t.Printer.Render(ctx, v)
	}
	seen, err := o.Force(ctx)
	if err != nil {
		return nil, err
	}
	r := &reading{ctx: ctx, now: t.opts.Now}
	s := &subject{reading: r, fields: seen.(*object.Object)}
	d := &drawing{color: t.opts.Color}
	d.trace(s, "")
	return branches{d.text.String()}, r.err
}

func (t *tree) Print(rendered any) error {
	b, ok := rendered.(branches)
	if !ok {
		return t.Printer.Print(rendered)
	}
	_, err := t.opts.Out.Write([]byte(b.text))
	return err
}

// A drawing is a tree being drawn.
type drawing struct {
	text  strings.Builder
	color bool
}

// A twig is a line, and those below it.
type twig struct {
	cells []string
	alarm bool
	below []twig
}

func (d *drawing) trace(s *subject, indent string) {
	d.line(indent, "", requestSaid(s)+" "+beginsAt(s)+" "+s.text("proxy"), false)
	d.grow(stepsSaid(s), indent)
	all := s.objects("through")
	for _, next := range all {
		d.trace(next, indent+"  ")
	}
}

// grow draws lines below one another, their first cells in a column.
func (d *drawing) grow(all []twig, indent string) {
	width := 0
	for _, t := range all {
		if len(t.cells) > 1 {
			width = max(width, len([]rune(t.cells[0])))
		}
	}
	for i, t := range all {
		branch, next := "├─ ", "│  "
		if i == len(all)-1 {
			branch, next = "└─ ", "   "
		}
		text := strings.Join(t.cells, "  ")
		if len(t.cells) > 1 {
			text = t.cells[0] + strings.Repeat(" ", width-len([]rune(t.cells[0]))) + "  " + strings.Join(t.cells[1:], "  ")
		}
		d.line(indent, branch, text, t.alarm)
		d.grow(t.below, indent+next)
	}
}

func (d *drawing) line(indent, branch, text string, alarm bool) {
	text = clean(strings.TrimRight(text, " "))
	if alarm && d.color {
		text = escape("31") + text + resetColor
	}
	d.text.WriteString(indent + branch + text + "\n")
}

// requestSaid is the request in short.
func requestSaid(s *subject) string {
	r := s.of(s.member("request"))
	scheme, host, path := r.text("scheme"), r.text("host"), r.text("path")
	if host == "" {
		host = r.text("destination")
	}
	text := strings.TrimSpace(r.text("method") + " ")
	if text != "" {
		text += " "
	}
	if scheme != "" {
		text += scheme + "://"
	}
	text += host + path
	if principal := r.text("principal"); principal != "" {
		text += " as " + principal
	}
	return text
}

// beginsAt tells whether the request is the proxy's own, or comes to it.
func beginsAt(s *subject) string {
	if s.text("request", "direction") == "inbound" {
		return "at"
	}
	return "from"
}

// mostOfCluster is how many endpoints of a cluster are drawn.
const mostOfCluster = 10

func stepsSaid(s *subject) []twig {
	var out []twig
	drawn := map[string]bool{} // clusters whose endpoints were
	for _, one := range s.objects("steps") {
		t := twig{cells: []string{one.text("step"), one.text("name")}}
		if t.cells[1] == "" {
			t.cells = t.cells[:1]
		}
		if why := one.text("reason"); why != "" {
			t.cells = append(t.cells, "("+why+")")
		}
		if istio := one.text("istio"); istio != "" {
			t.cells = append(t.cells, istio)
		}
		for _, near := range one.objects("almost") {
			name := near.text("name")
			if name == "" {
				name = "another"
			}
			t.below = append(t.below, twig{cells: []string{"not " + name, near.text("why")}})
		}
		if name := one.text("name"); one.text("step") == "cluster" && !drawn[name] {
			drawn[name] = true
			t.below = append(t.below, endpointsSaid(s, name)...)
		}
		out = append(out, t)
	}
	out = append(out, asidesSaid(s)...)
	return append(out, endSaid(s))
}

func endpointsSaid(s *subject, cluster string) []twig {
	var out []twig
	more := 0
	for _, e := range s.objects("endpoints") {
		if e.text("cluster") != cluster {
			continue
		}
		if len(out) == mostOfCluster {
			more++
			continue
		}
		address := e.text("address")
		if address == "" {
			address = unknownCell
		}
		cells := []string{address, percent(e.text("share")), e.text("health")}
		if e.text("outlier") == "FAILED" {
			cells = append(cells, "outlier")
		}
		for _, key := range []string{"transport", "workload"} {
			if text := e.text(key); text != "" {
				cells = append(cells, text)
			}
		}
		if to := e.text("tunnel"); to != "" {
			cells = append(cells, "in a tunnel to "+to)
		}
		if why := e.text("reason"); why != "" {
			cells = append(cells, why)
		}
		out = append(out, twig{cells: cells, alarm: e.text("share") == "0"})
	}
	if more > 0 {
		out = append(out, twig{cells: []string{plural(more, "more endpoint", "more endpoints")}})
	}
	return out
}

// usualRetries is how often Istio has requests sent again where nothing says
// otherwise: that needs no line.
const usualRetries = "2"

// asidesSaid are policies, faults and mirrors, and what can't be told.
func asidesSaid(s *subject) []twig {
	var out []twig
	for _, p := range s.objects("policies") {
		name := p.text("istio")
		if name == "" {
			name = p.text("policy")
		}
		cells := []string{"policy", p.text("verdict")}
		if name != "" {
			cells = append(cells, "by "+name)
		} else if action := p.text("action"); action != "" {
			cells = append(cells, "(no "+action+" policy fits)")
		}
		if p.text("shadow") == "true" {
			cells = append(cells, "(dry run)")
		}
		if why := p.text("unknown"); why != "" {
			cells = append(cells, "("+why+" is not known)")
		}
		out = append(out, twig{cells: cells, alarm: p.text("verdict") == "denied" && p.text("shadow") != "true"})
	}
	for _, f := range s.objects("faults") {
		what := f.text("fault")
		if d := f.text("delay"); d != "" {
			what += " of " + d
		}
		if status := f.text("status"); status != "" {
			what += " with " + status
		}
		out = append(out, twig{cells: []string{"fault", what, "for " + percent(f.text("share"))}})
	}
	if timeout := s.text("timeout"); timeout != "" && timeout != "0" {
		out = append(out, twig{cells: []string{"timeout", timeout + "s"}})
	}
	r := s.of(s.fields.Get("retries"))
	if attempts, each := r.text("attempts"), r.text("perTryTimeout"); attempts != "" && (attempts != usualRetries || each != "") {
		cells := []string{"retries", attempts, "on " + r.text("on")}
		if each != "" {
			cells = append(cells, "of "+each+"s each")
		}
		out = append(out, twig{cells: cells})
	}
	for _, m := range s.objects("mirrors") {
		out = append(out, twig{cells: []string{"mirror", m.text("cluster"), percent(m.text("share"))}})
	}
	for _, u := range s.objects("unknowns") {
		cells := []string{"not told", u.text("what")}
		if why := u.text("why"); why != "" && why != mesh.NotConfigured {
			cells = append(cells, "("+why+")")
		}
		out = append(out, twig{cells: cells})
	}
	return out
}

// endSaid is how it ends.
func endSaid(s *subject) twig {
	status := s.text("status")
	cells := []string{"ends", outcomesSaid(s)}
	if status != "" {
		cells = append(cells, "with status "+status)
	}
	if to := s.text("redirectTo"); to != "" {
		cells = append(cells, "to "+to)
	}
	return twig{cells: cells, alarm: losesTraffic(s)}
}

// outcomesSaid is where the traffic ends, in a line: the shares, where it ends
// at several places.
func outcomesSaid(s *subject) string {
	all := s.objects("outcomes")
	if len(all) < 2 {
		if reason := s.text("reason"); reason != "" {
			return reason
		}
		return "at an endpoint"
	}
	var parts []string
	for _, o := range all {
		reason := o.text("reason")
		if reason == "" {
			reason = "reaches an endpoint"
		}
		parts = append(parts, percent(o.text("share"))+" "+reason)
	}
	return strings.Join(parts, ", ")
}

// losesTraffic tells whether a part of the traffic gets to no endpoint, or it
// isn't known whether it does.
func losesTraffic(s *subject) bool {
	for _, o := range s.objects("outcomes") {
		if reason := o.text("reason"); reason != "" && reason != "PASSTHROUGH" {
			return true
		}
	}
	return s.text("reached") != "true"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return string(appendNumber(nil, n)) + " " + many
}
