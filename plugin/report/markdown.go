package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// writeMarkdown writes the report as Markdown, for a pull request or the page of
// an incident: what is wrong, and the part of the graph that is broken.
func (d *data) writeMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Mesh report\n\n")
	if d.TakenAt != "" {
		fmt.Fprintf(&b, "State of %s.", markdownText(d.TakenAt))
	}
	for _, p := range d.Pilots {
		version := p.Version
		if version == "" {
			version = "unknown"
		}
		fmt.Fprintf(&b, " %s: Istio %s.", markdownText(p.Name), markdownText(version))
	}
	fmt.Fprintf(&b, "\n\n%d proxies", len(d.Proxies))
	for _, c := range d.cards() {
		fmt.Fprintf(&b, ", %d %s", c.N, c.What)
	}
	b.WriteString(".\n\n## Findings\n\n")
	if len(d.Findings) == 0 {
		b.WriteString("The checks found nothing" + ifAny(d.Unread, " in what could be read") + ".\n")
	} else {
		b.WriteString("| severity | check | where | what | what to do |\n|---|---|---|---|---|\n")
		for _, f := range d.Findings {
			where := strings.TrimSpace(f.Proxy + " " + f.Subject)
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.Severity, f.Check, markdownText(where), markdownText(f.Message), markdownText(f.Next))
		}
	}
	b.WriteString("\n## Proxies that are not in sync\n\n")
	rows := 0
	for _, p := range d.Proxies {
		if p.Worst() == "ok" {
			continue
		}
		if rows++; rows == 1 {
			fmt.Fprintf(&b, "| proxy | %s | behind |\n|---|%s---|\n", strings.Join(types(), " | "), strings.Repeat("---|", len(types())))
		}
		var states []string
		for _, s := range p.States() {
			states = append(states, stateText(s))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", markdownText(p.ID), strings.Join(states, " | "), p.Behind)
	}
	if rows == 0 {
		b.WriteString("None.\n")
	}
	b.WriteString("\n## Certificates that expire first\n\n")
	if len(d.Certs) == 0 {
		b.WriteString("No certificate was read.\n")
	} else {
		b.WriteString("| expires | in | name | type | proxies |\n|---|---|---|---|---|\n")
		for _, c := range d.Certs[:min(10, len(d.Certs))] {
			r := c.row(d.at())
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.Expires, r.In, markdownText(r.Name), markdownText(r.Type), markdownText(r.Who))
		}
	}
	if broken := d.Graph.Broken(); len(broken.Edges) > 0 {
		b.WriteString("\n## What is broken\n\n```mermaid\n")
		if len(broken.Edges) > mostArrows {
			broken.Edges = broken.Edges[:mostArrows]
		}
		if err := broken.WriteMermaid(&b); err != nil {
			return err
		}
		b.WriteString("```\n")
	}
	b.WriteString("\n## Not read\n\n")
	if len(d.Unread) == 0 {
		b.WriteString("Everything was read.\n")
	}
	for _, line := range d.Unread {
		b.WriteString("- " + markdownText(line) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func ifAny(all []string, text string) string {
	if len(all) == 0 {
		return ""
	}
	return text
}

// markdownText escapes a text for a cell of a table: what Markdown or HTML would
// interpret, and the bar that ends the cell.
func markdownText(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	var b strings.Builder
	for _, r := range text {
		if slices.Contains([]rune("\\`*_{}[]<>#|~!&"), r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
