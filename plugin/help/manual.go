package help

import (
	"bytes"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/istioctl"
	"github.com/spf13/cobra"
)

// A leaf is one page of the manual. Its text has the format of a help page:
// paragraphs, and blocks that are indented by two spaces.
type leaf struct {
	name  string // the file name without its extension
	title string
	text  string
}

// Manual returns the contents of the manual's files by file name. If man is set,
// these are man pages; otherwise, Markdown.
func Manual(root *cobra.Command, isQuery func(*cobra.Command) bool, man bool) map[string]string {
	files := map[string]string{}
	if man {
		for _, l := range append(leaves(), commandLeaves(root, isQuery)...) {
			section := "7"
			if strings.HasPrefix(l.name, "kubectl-meshq") {
				section = "1"
			} else {
				l.name = "kubectl-meshq-" + l.name
			}
			files[l.name+"."+section] = roff(l, section)
		}
		return files
	}
	for _, l := range leaves() {
		files[l.name+".md"] = "# " + l.title + "\n\n" + markdown(l.text)
	}
	files["safety.md"] += redactionPage()
	files["functions.md"], files["document.md"], files["queries.md"] = functionPages(), kindPages(), queryPages()
	files["jq.md"] = jqPage()
	return files
}

// leaves returns the pages of the manual that are generated from the topics of
// help.
func leaves() (all []leaf) {
	for _, p := range Pages() {
		var b bytes.Buffer
		p.Print(&b)
		if p.Name == symptomsTopic {
			for _, s := range Symptoms() {
				b.WriteByte('\n')
				PrintSymptom(&b, s, manualName)
			}
		}
		all = append(all, leaf{p.Name, capital(p.about), b.String()})
	}
	var b bytes.Buffer
	istioctl.PrintSpellings(&b, manualName)
	return append(all, leaf{"istioctl", "istioctl's words", b.String()})
}

// manualName is the name of the plugin in its manual.
const manualName = "kubectl meshq"

// commandLeaves returns the pages for the root command and its subcommands,
// except those that run a named query.
func commandLeaves(root *cobra.Command, isQuery func(*cobra.Command) bool) (all []leaf) {
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		name := "kubectl-meshq"
		if cmd != root {
			if isQuery(cmd) || !cmd.IsAvailableCommand() && cmd.Name() != "help" {
				continue
			}
			name += "-" + cmd.Name()
		}
		long := cmd.Long
		if long == "" {
			long = cmd.Short + "."
		}
		line := strings.TrimSpace(manualName + strings.TrimPrefix(cmd.UseLine(), root.Name()))
		if cmd != root {
			line = manualName + " " + cmd.Use
		}
		text := line + "\n\n" + long + "\n"
		if cmd.HasExample() {
			text += "\nExamples:\n\n" + cmd.Example + "\n"
		}
		if cmd.HasAvailableFlags() {
			text += "\nFlags:\n\n" + flagsText(cmd.Flags())
		}
		all = append(all, leaf{name, cmd.Short, text})
	}
	return all
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// blocks splits a text into paragraphs and indented blocks.
func blocks(text string) (out []string) {
	var block []string
	flush := func() {
		if s := strings.Trim(strings.Join(block, "\n"), "\n"); s != "" {
			out = append(out, s)
		}
		block = nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		indented, was := strings.HasPrefix(line, "  "), len(block) > 0 && strings.HasPrefix(block[0], "  ")
		if line == "" && !was || line != "" && len(block) > 0 && indented != was {
			flush()
		}
		if line != "" || was {
			block = append(block, strings.TrimRight(line, " "))
		}
	}
	flush()
	return out
}

// markdown formats a text as Markdown. Indented blocks become code blocks.
func markdown(text string) string {
	var b strings.Builder
	for i, block := range blocks(text) {
		if i > 0 {
			b.WriteString("\n")
		}
		if !strings.HasPrefix(block, "  ") {
			b.WriteString(escapedMarkdown(block) + "\n")
			continue
		}
		b.WriteString("```text\n")
		for line := range strings.SplitSeq(block, "\n") {
			b.WriteString(strings.TrimPrefix(line, "  ") + "\n")
		}
		b.WriteString("```\n")
	}
	return b.String()
}

// escapedMarkdown escapes the characters of a line that Markdown would interpret.
func escapedMarkdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", "|", `\|`, "[", `\[`, "#", `\#`).Replace(s)
}

// roff formats a text as a man page.
func roff(l leaf, section string) string {
	var b strings.Builder
	b.WriteString(".TH " + strings.ToUpper(l.name) + " " + section + "\n.SH NAME\n")
	b.WriteString(escapedRoff(l.name) + ` \- ` + escapedRoff(strings.TrimSuffix(l.title, ".")) + "\n.SH DESCRIPTION\n")
	for _, block := range blocks(l.text) {
		if strings.HasPrefix(block, "  ") {
			b.WriteString(".PP\n.nf\n" + escapedRoff(block) + "\n.fi\n")
		} else {
			b.WriteString(".PP\n" + escapedRoff(block) + "\n")
		}
	}
	b.WriteString(".SH SEE ALSO\nkubectl(1), jq(1), kubectl\\-meshq(1)\n")
	return b.String()
}

// escapedRoff escapes the characters that roff would interpret: a backslash, a dash,
// and a dot or a quote at the beginning of a line.
func escapedRoff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
