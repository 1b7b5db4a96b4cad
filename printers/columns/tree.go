package columns

import (
	"strings"

	"github.com/meshq/kubectl-meshq/printers/encode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// DrawTrace draws a Trace, the path of a request, as a tree with one step per line. With
// colours, the line is red if the request fails there.
func DrawTrace(s *Subject, color bool) string {
	d := &drawing{color: color}
	d.trace(s, "")
	return d.text.String()
}

// A drawing collects the lines of a tree.
type drawing struct {
	text  strings.Builder
	color bool
}

// A treeNode is a node of the tree: a line, and the nodes below it.
type treeNode struct {
	cells    []string
	alarm    bool
	children []treeNode
}

func (d *drawing) trace(s *Subject, indent string) {
	d.line(indent, "", requestText(s)+" "+fromOrAt(s)+" "+originText(s), false)
	d.drawNodes(stepNodes(s), indent)
	all := s.objects("through")
	for _, next := range all {
		d.trace(next, indent+"  ")
	}
}

// drawNodes draws sibling nodes and their children. It aligns the second cells of the
// siblings.
func (d *drawing) drawNodes(all []treeNode, indent string) {
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
		d.drawNodes(t.children, indent+next)
	}
}

func (d *drawing) line(indent, branch, text string, alarm bool) {
	text = Clean(strings.TrimRight(text, " "))
	if alarm && d.color {
		text = encode.Red(text)
	}
	d.text.WriteString(indent + branch + text + "\n")
}

// requestText returns a short form of the traced request.
func requestText(s *Subject) string {
	r := s.of(s.member("request"))
	scheme, host, path := r.Text("scheme"), r.Text("host"), r.Text("path")
	if host == "" {
		host = r.Text("destination")
	}
	text := strings.TrimSpace(r.Text("method") + " ")
	if text != "" {
		text += " "
	}
	if scheme != "" {
		text += scheme + "://"
	}
	text += host + path
	if principal := r.Text("principal"); principal != "" {
		text += " as " + principal
	}
	return text
}

// fromOrAt returns the word before the proxy: "at" for a request that arrives
// at the proxy's workload, and "from" for a request that the workload sends.
func fromOrAt(s *Subject) string {
	if s.Text("request", "direction") == "inbound" {
		return "at"
	}
	return "from"
}

// originText returns the proxy or the workload at which a trace begins. For a
// workload, it adds the workload's ztunnel.
func originText(s *Subject) string {
	workload, proxy := s.Text("workload"), s.Text("proxy")
	switch {
	case workload == "":
		return proxy
	case proxy == "":
		return workload
	}
	return workload + ", by " + proxy
}

// maxDrawnEndpoints is the maximum number of endpoints that are drawn for a cluster. One
// more line contains the number of the remaining endpoints.
const maxDrawnEndpoints = 10

func stepNodes(s *Subject) []treeNode {
	var out []treeNode
	drawn := map[string]bool{} // the clusters whose endpoints were already drawn
	for _, one := range s.objects("steps") {
		t := treeNode{cells: []string{one.Text("step"), one.Text("name")}}
		if t.cells[1] == "" {
			t.cells = t.cells[:1]
		}
		if why := one.Text("reason"); why != "" {
			t.cells = append(t.cells, "("+why+")")
		}
		if istio := one.Text("istio"); istio != "" {
			t.cells = append(t.cells, istio)
		}
		for _, near := range one.objects("almost") {
			name := near.Text("name")
			if name == "" {
				name = "another"
			}
			t.children = append(t.children, treeNode{cells: []string{"not " + name, near.Text("why")}})
		}
		if name := one.Text("name"); one.Text("step") == "cluster" && !drawn[name] {
			drawn[name] = true
			t.children = append(t.children, endpointNodes(s, name)...)
		}
		out = append(out, t)
	}
	// a ztunnel has endpoints but no clusters
	if direct := endpointNodes(s, ""); s.Text("workload") != "" && direct != nil {
		out = append(out, treeNode{cells: []string{"goes to"}, children: direct})
	}
	out = append(out, effectNodes(s)...)
	return append(out, endNode(s))
}

func endpointNodes(s *Subject, cluster string) []treeNode {
	var out []treeNode
	more := 0
	for _, e := range s.objects("endpoints") {
		if e.Text("cluster") != cluster {
			continue
		}
		if len(out) == maxDrawnEndpoints {
			more++
			continue
		}
		address := e.Text("address")
		if address == "" {
			address = Unknown
		}
		cells := []string{address, percent(e.Text("share")), e.Text("health")}
		if e.Text("outlier") == "FAILED" {
			cells = append(cells, "outlier")
		}
		for _, key := range []string{"transport", "workload"} {
			if text := e.Text(key); text != "" {
				cells = append(cells, text)
			}
		}
		if to := e.Text("tunnel"); to != "" {
			cells = append(cells, "in a tunnel to "+to)
		}
		if why := e.Text("reason"); why != "" {
			cells = append(cells, why)
		}
		out = append(out, treeNode{cells: cells, alarm: e.Text("share") == "0"})
	}
	if more > 0 {
		out = append(out, treeNode{cells: []string{plural(more, "more endpoint", "more endpoints")}})
	}
	return out
}

// usualRetries is Istio's default number of retries. A trace shows the number of
// retries only if it differs from this default.
const usualRetries = "2"

// effectNodes returns the lines after the steps of a trace: policies, faults,
// timeouts, retries, mirrors, and the values that are unknown.
func effectNodes(s *Subject) []treeNode {
	var out []treeNode
	for _, p := range s.objects("policies") {
		name := p.Text("istio")
		if name == "" {
			name = p.Text("policy")
		}
		cells := []string{"policy", p.Text("verdict")}
		if name != "" {
			cells = append(cells, "by "+name)
		} else if action := p.Text("action"); action != "" {
			cells = append(cells, "(no "+action+" policy fits)")
		}
		if p.Text("shadow") == "true" {
			cells = append(cells, "(dry run)")
		}
		if why := p.Text("unknown"); why != "" {
			cells = append(cells, "("+why+" is not known)")
		}
		out = append(out, treeNode{cells: cells, alarm: p.Text("verdict") == "denied" && p.Text("shadow") != "true"})
	}
	for _, f := range s.objects("faults") {
		what := f.Text("fault")
		if d := f.Text("delay"); d != "" {
			what += " of " + d
		}
		if status := f.Text("status"); status != "" {
			what += " with " + status
		}
		out = append(out, treeNode{cells: []string{"fault", what, "for " + percent(f.Text("share"))}})
	}
	if timeout := s.Text("timeout"); timeout != "" && timeout != "0" {
		out = append(out, treeNode{cells: []string{"timeout", timeout + "s"}})
	}
	r := s.of(s.fields.Get("retries"))
	if attempts, each := r.Text("attempts"), r.Text("perTryTimeout"); attempts != "" && (attempts != usualRetries || each != "") {
		cells := []string{"retries", attempts, "on " + r.Text("on")}
		if each != "" {
			cells = append(cells, "of "+each+"s each")
		}
		out = append(out, treeNode{cells: cells})
	}
	for _, m := range s.objects("mirrors") {
		out = append(out, treeNode{cells: []string{"mirror", m.Text("cluster"), percent(m.Text("share"))}})
	}
	for _, u := range s.objects("unknowns") {
		cells := []string{"unknown", u.Text("what")}
		if why := u.Text("why"); why != "" && why != mesh.NotConfigured {
			cells = append(cells, "("+why+")")
		}
		out = append(out, treeNode{cells: cells})
	}
	return out
}

// endNode returns the last line of a trace, which describes where the request
// ends.
func endNode(s *Subject) treeNode {
	status := s.Text("status")
	cells := []string{"ends", outcomesText(s)}
	if status != "" {
		cells = append(cells, "with status "+status)
	}
	if to := s.Text("redirectTo"); to != "" {
		cells = append(cells, "to "+to)
	}
	return treeNode{cells: cells, alarm: losesTraffic(s)}
}

// outcomesText describes in one line where the traffic ends. If it ends in
// several places, the line contains their shares.
func outcomesText(s *Subject) string {
	all := s.objects("outcomes")
	if len(all) < 2 {
		if reason := s.Text("reason"); reason != "" {
			return reason
		}
		return "at an endpoint"
	}
	var parts []string
	for _, o := range all {
		reason := o.Text("reason")
		if reason == "" {
			reason = "reaches an endpoint"
		}
		parts = append(parts, percent(o.Text("share"))+" "+reason)
	}
	return strings.Join(parts, ", ")
}

// losesTraffic reports whether some traffic reaches no endpoint, or may reach
// none. Traffic that is passed through to an address outside the mesh isn't
// lost.
func losesTraffic(s *Subject) bool {
	for _, o := range s.objects("outcomes") {
		if reason := o.Text("reason"); reason != "" && reason != "PASSTHROUGH" {
			return true
		}
	}
	return s.Text("reached") != "true"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return string(encode.AppendNumber(nil, n)) + " " + many
}
