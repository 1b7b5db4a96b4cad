package help

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/printers/fit"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// verbs are the commands that help lists first, each with its purpose.
var verbs = [][2]string{
	{"status", "are all in sync? The same without a command"},
	{"check", "what is wrong anywhere in the mesh"},
	{"trace PROXY URL", "where a request goes, and why"},
	{"describe PROXY|svc/…|gateway/…", "what applies to it"},
	{"diff PROXY [--with PROXY]", "what a proxy lacks, or has other than another"},
	{"whatif -f FILE", "what a change would do to every proxy"},
	{"graph [--from …] [--to …]", "who sends to whom: a tree, mermaid, dot"},
	{"report > mesh.html", "a page about the mesh, for others"},
	{"shell", "query after query, with completion"},
	{"snapshot FILE", "record the mesh; --snapshot FILE reads it"},
}

// PrintOverview prints the first help page. The page fits a terminal of 80
// columns and 24 lines.
func PrintOverview(w io.Writer, program string, root *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: query a mesh, istiod and every Envoy, as one JSON document.\n\n", program)
	for _, v := range verbs {
		fmt.Fprintf(&b, "  %-31s %s\n", v[0], v[1])
	}
	own := []string{"Saved queries:"}
	tables := []string{"Tables, of all proxies or some:"}
	for _, cmd := range root.Commands() {
		if cmd.GroupID == "saved" {
			own = append(own, cmd.Name())
		}
		if cmd.IsAvailableCommand() && cmd.GroupID == "queries" && !slices.ContainsFunc(verbs, func(v [2]string) bool { return strings.Split(v[0], " ")[0] == cmd.Name() }) {
			tables = append(tables, cmd.Name())
		}
	}
	b.WriteString("\n" + strings.Join(fit.Wrap(strings.Join(tables, " "), maxLine), "\n"))
	if len(own) > 1 {
		b.WriteString("\n" + strings.Join(fit.Wrap(strings.Join(own, " "), maxLine), "\n"))
	}
	fmt.Fprintf(&b, `
Queries: %[1]s --snapshot demo '.proxies[] | select(.rds == "STALE")'
  --snapshot FILE|demo  a recorded mesh     -n NAMESPACE, -l app=x  proxies
  --context NAME        another cluster     -o wide, json, yaml, …  output

help 503, help UC, …: what it means, what finds the cause. help options: all
flags. help COMMAND; help language, document, functions, symptoms, safety, …
`, program)
	_, err := io.WriteString(w, b.String())
	return err
}

// optionGroups are the names of flags by subject, in the order in which "help
// options" prints them. All other flags are about the connection.
var optionGroups = []struct {
	title string
	flags []string
}{
	{"Which mesh, and which proxies", []string{"snapshot", "context", "contexts", "namespace", "all-namespaces", "selector", "istio-namespace", "revision", "pilot", "envoy", "proxy-admin-port"}},
	{"The query", []string{"query", "filename", "library-path", "arg", "argjson", "slurpfile", "rawfile", "args", "jsonargs", "env", "watch"}},
	{"Output", []string{
		"output", "template", "allow-missing-template-keys", "no-headers", "show-labels", "show-kind", "show-managed-fields", "label-columns", "sort-by", "compact-output", "raw-output", "join-output", "raw-output0",
		"ascii-output", "seq", "sort-keys", "tab", "indent", "color-output", "monochrome-output", "color", "quiet", "unbuffered",
	}},
	{"Exit code", []string{"exit-status", "fail-on-match", "unknown", "allow-partial"}},
	{"Limits", []string{"max-fetch", "memory", "spool", "concurrency", "timeout", "explain"}},
	{"jq on plain JSON, without a mesh", []string{"input", "null-input", "raw-input", "slurp", "stream", "stream-errors"}},
}

// PrintOptions prints all flags of a query, by subject. Lines have at most 80
// characters.
func PrintOptions(w io.Writer, set *pflag.FlagSet) error {
	var b strings.Builder
	shown := map[string]bool{"help": true}
	for _, g := range optionGroups {
		fmt.Fprintf(&b, "%s:\n", g.title)
		for _, name := range g.flags {
			if f := set.Lookup(name); f != nil {
				writeFlag(&b, f)
				shown[name] = true
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString("The connection, as kubectl's:\n")
	set.VisitAll(func(f *pflag.Flag) {
		if !shown[f.Name] && !f.Hidden {
			writeFlag(&b, f)
		}
	})
	_, err := io.WriteString(w, b.String())
	return err
}

// PrintOwnFlags prints only those flags of a command that are not shared by all
// queries.
func PrintOwnFlags(w io.Writer, cmd *cobra.Command, shared *pflag.FlagSet) {
	var b strings.Builder
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if shared.Lookup(f.Name) == nil && !f.Hidden && f.Name != "help" {
			writeFlag(&b, f)
		}
	})
	if b.Len() > 0 {
		fmt.Fprintf(w, "\nFlags of its own:\n%s", b.String())
	}
}

// flagsText returns all flags of a set, with lines of at most 80 characters.
func flagsText(set *pflag.FlagSet) string {
	var b strings.Builder
	set.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			writeFlag(&b, f)
		}
	})
	return b.String()
}

// flagIndent precedes the description of a flag.
const flagIndent = "          "

// writeFlag writes a flag on one line, and its description on the lines below.
func writeFlag(b *strings.Builder, f *pflag.Flag) {
	takes, usage := pflag.UnquoteUsage(f)
	name := "    --" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", --" + f.Name
	}
	if takes != "" && f.NoOptDefVal == "" {
		name += " " + takes
	}
	if d := f.DefValue; d != "" && d != "false" && d != "[]" && d != "0" && d != "0s" && f.Name != "cache-dir" && !strings.Contains(usage, "default") {
		usage += " (default " + d + ")"
	}
	fmt.Fprintf(b, "  %s\n", name)
	for _, line := range fit.Wrap(usage, maxLine-len(flagIndent)) {
		b.WriteString(flagIndent + line + "\n")
	}
}

// PrintCommand prints the help page of a command: its own flags, and where the
// flags that it shares with other commands are described. shared are the flags
// of a query.
func PrintCommand(w io.Writer, program string, cmd *cobra.Command, shared *pflag.FlagSet) {
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	fmt.Fprintf(w, "%s\n\nUsage:\n  %s %s\n", long, program, cmd.Use)
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nCommands:\n")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(w, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	PrintOwnFlags(w, cmd, shared)
	if cmd.Flags().Lookup("snapshot") != nil {
		fmt.Fprintf(w, "\nFlags of the mesh and of the output go with it too (-n, -l, --snapshot, -o, …):\n%s help options.\n", program)
	}
}
