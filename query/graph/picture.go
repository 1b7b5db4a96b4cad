package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// mostLines is how many routes are written beside one arrow of a picture. The
// arrow says how many more there are.
const mostLines = 4

// caption returns the lines beside an arrow.
func (b *bundle) caption() []string {
	var out []string
	for i, l := range b.lines {
		if i == mostLines && len(b.lines) > mostLines+1 {
			return append(out, fmt.Sprintf("and %d more", len(b.lines)-mostLines))
		}
		text := l.text()
		if l.port != "" {
			text = ":" + l.port + " " + text
		}
		out = append(out, text)
	}
	return out
}

// captionOfNode returns the lines in a node.
func captionOfNode(n Node) []string {
	lines := []string{n.Label()}
	if n.Kind == "Workload" && len(n.Proxies) == 0 {
		lines = append(lines, "no proxy")
	}
	if len(n.Broken) > 0 {
		lines = append(lines, strings.Join(n.Broken, " "))
	}
	return lines
}

// WriteMermaid writes a graph as a flowchart of Mermaid (https://mermaid.js.org).
func (g *Graph) WriteMermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	name := g.shortIDs()
	for _, n := range g.Nodes {
		open, end := "[", "]"
		switch n.Kind {
		case "Service":
			open, end = "([", "])"
		case "Gateway", "Waypoint":
			open, end = "{{", "}}"
		case "Address":
			open, end = "[/", "/]"
		}
		fmt.Fprintf(&b, "  %s%s%s%s\n", name[n.ID], open, mermaidText(captionOfNode(n)), end)
		if len(n.Broken) > 0 {
			fmt.Fprintf(&b, "  class %s broken\n", name[n.ID])
		}
	}
	for i, one := range g.bundles() {
		fmt.Fprintf(&b, "  %s -->|%s| %s\n", name[one.from], mermaidText(one.caption()), name[one.to])
		if len(one.broken) > 0 {
			fmt.Fprintf(&b, "  linkStyle %d stroke:#c00,color:#c00\n", i)
		}
	}
	for i, u := range g.Unknowns {
		fmt.Fprintf(&b, "  unknown%d[%s]\n  class unknown%d unread\n", i, mermaidText([]string{strings.TrimSpace(u.Proxy + " " + u.What + " unknown")}), i)
	}
	b.WriteString("  classDef broken stroke:#c00,stroke-width:3px\n  classDef unread stroke-dasharray:4\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// shortIDs returns the names of the nodes in a picture's source.
func (g *Graph) shortIDs() map[string]string {
	out := map[string]string{}
	for i, n := range g.Nodes {
		out[n.ID] = fmt.Sprintf("n%d", i)
	}
	return out
}

// mermaidText quotes lines of text for Mermaid. Characters that it would
// interpret, as Markdown, HTML or the end of the text, become entity codes.
func mermaidText(lines []string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, l := range lines {
		if i > 0 {
			b.WriteString("<br/>")
		}
		for _, r := range lineEnds.Replace(l) {
			if strings.ContainsRune("\"#;&<>`*_~|[](){}\\$%", r) {
				fmt.Fprintf(&b, "#%d;", r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}

// WriteDOT writes a graph in the language of Graphviz.
func (g *Graph) WriteDOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph mesh {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n")
	for _, n := range g.Nodes {
		shape := map[string]string{"Service": "ellipse", "Gateway": "hexagon", "Waypoint": "hexagon", "Address": "parallelogram"}[n.Kind]
		if shape == "" {
			shape = "box"
		}
		fmt.Fprintf(&b, "  %s [shape=%s, label=%s%s];\n", dotText([]string{n.ID}), shape, dotText(captionOfNode(n)), dotBroken(n.Broken))
	}
	for _, one := range g.bundles() {
		fmt.Fprintf(&b, "  %s -> %s [label=%s%s];\n", dotText([]string{one.from}), dotText([]string{one.to}), dotText(one.caption()), dotBroken(one.broken))
	}
	for i, u := range g.Unknowns {
		fmt.Fprintf(&b, "  %s [shape=note, style=dashed, label=%s];\n", dotText([]string{fmt.Sprintf("unknown/%d", i)}), dotText([]string{strings.TrimSpace(u.Proxy + " " + u.What + " unknown"), u.Why}))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func dotBroken(broken []string) string {
	if len(broken) == 0 {
		return ""
	}
	return `, color="#cc0000", fontcolor="#cc0000"`
}

// dotText quotes lines of text for DOT. In a quoted string, only the quote ends
// it, and a backslash begins an escape of Graphviz.
func dotText(lines []string) string {
	for i, l := range lines {
		lines[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(lineEnds.Replace(l))
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}

// WriteJSON writes a graph as a JSON object.
func (g *Graph) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(g)
}
