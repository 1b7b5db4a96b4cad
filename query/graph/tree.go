package graph

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// WriteTree writes a graph as a tree of text: each workload that has routes, the
// services it can send to, by which routes, and the workloads behind them. What
// is broken is marked with "✗"; mark may colour such a line, and is nil without
// colours. Lines have at most width characters, or any number if width is 0.
func (g *Graph) WriteTree(w io.Writer, width int, mark func(string) string) error {
	t := &tree{out: w, width: width, mark: mark, nodes: map[string]Node{}, behind: map[string][]*bundle{}}
	for _, n := range g.Nodes {
		t.nodes[n.ID] = n
	}
	of, reached := map[string][]*bundle{}, map[string]bool{}
	for _, b := range g.bundles() {
		reached[b.to] = true
		if strings.HasPrefix(b.from, "service/") {
			t.behind[b.from] = append(t.behind[b.from], b)
		} else {
			of[b.from] = append(of[b.from], b)
		}
	}
	for _, n := range g.Nodes {
		all := of[n.ID]
		if behind := t.behind[n.ID]; len(behind) > 0 && !reached[n.ID] { // a selected service to which no selected workload sends
			t.line("", n.Label(), len(n.Broken) > 0)
			for _, b := range behind {
				t.line("└─ → ", t.title(t.nodes[b.to]), len(t.nodes[b.to].Broken) > 0)
			}
			continue
		}
		if len(all) == 0 && len(n.Broken) == 0 {
			continue
		}
		t.line("", t.title(n), len(n.Broken) > 0)
		for i, b := range all {
			t.service(b, i == len(all)-1)
		}
	}
	for _, u := range g.Unknowns {
		t.line("", strings.TrimPrefix(fmt.Sprintf("%s: %s unknown: %s", u.Proxy, u.What, u.Why), ": "), true)
	}
	return t.err
}

// lineEnds replaces the characters that end a line.
var lineEnds = strings.NewReplacer("\n", " ", "\r", " ")

type tree struct {
	out    io.Writer
	width  int
	mark   func(string) string
	nodes  map[string]Node
	behind map[string][]*bundle // by service
	err    error
}

// line writes a line. A name may contain a line end, which would look like another
// line of the tree.
func (t *tree) line(indent, text string, broken bool) {
	text = lineEnds.Replace(text)
	if broken {
		text = "✗ " + text
	}
	if room := t.width - utf8.RuneCountInString(indent); t.width > 0 && room > 1 && utf8.RuneCountInString(text) > room {
		text = string([]rune(text)[:room-1]) + "…"
	}
	if broken && t.mark != nil {
		text = t.mark(text)
	}
	if t.err == nil {
		_, t.err = io.WriteString(t.out, indent+text+"\n")
	}
}

// title returns the line of a node.
func (t *tree) title(n Node) string {
	text := n.Label()
	switch {
	case n.Kind == "Gateway" || n.Kind == "Waypoint":
		text += " (" + strings.ToLower(n.Kind) + ")"
	case n.Kind == "Workload" && len(n.Proxies) == 0:
		text += " (no proxy)"
	}
	if len(n.Broken) > 0 {
		text += "  " + strings.Join(n.Broken, " ")
	}
	return text
}

// service writes the routes from a workload to a service, and what is behind it.
func (t *tree) service(b *bundle, last bool) {
	branch, indent := "├─ ", "│  "
	if last {
		branch, indent = "└─ ", "   "
	}
	var ports []string
	for _, l := range b.lines {
		if !slices.Contains(ports, l.port) {
			ports = append(ports, l.port)
		}
	}
	n := t.nodes[b.to]
	t.line(branch, n.Label()+":"+strings.Join(ports, ","), len(n.Broken) > 0)
	type row struct {
		text   string
		broken bool
	}
	var rows []row
	for _, l := range b.lines {
		text := l.text()
		if len(ports) > 1 {
			text = ":" + l.port + " " + text
		}
		rows = append(rows, row{text, slices.ContainsFunc(l.shares, func(s share) bool { return len(s.broken) > 0 })})
	}
	for _, to := range t.behind[b.to] {
		var via []string
		for _, l := range to.lines {
			if !slices.Contains(ports, l.port) {
				continue
			}
			for _, s := range l.shares {
				if text := strings.TrimSpace(s.subset); text != "" && !slices.Contains(via, text) {
					via = append(via, text)
				}
			}
		}
		text := "→ " + t.title(t.nodes[to.to])
		if len(via) > 0 {
			text += "  [" + strings.Join(via, " ") + "]"
		}
		unhealthy := slices.Contains(to.broken, "UNHEALTHY")
		if unhealthy {
			text += "  UNHEALTHY"
		}
		rows = append(rows, row{text, unhealthy || len(t.nodes[to.to].Broken) > 0})
	}
	for i, r := range rows {
		branch := "├─ "
		if i == len(rows)-1 {
			branch = "└─ "
		}
		t.line(indent+branch, r.text, r.broken)
	}
}
