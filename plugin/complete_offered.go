package plugin

import (
	"regexp"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/spf13/cobra"
)

// completes is the type of cobra's completion functions.
type completes = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// offered removes completions that could make the shell run a command. Names come
// from clusters and snapshots of others: without this check, a shell would run the
// text after a newline in a name.
func (c completion) offered(of completes) completes {
	return func(cmd *cobra.Command, args []string, begun string) (out []string, _ cobra.ShellCompDirective) {
		all, directive := of(cmd, args, begun)
		for _, s := range all {
			text, doc, documented := strings.Cut(s, "\t")
			if !safe.IsLine(text) || !c.Requotes && !strings.HasPrefix(begun, "'") && runs.MatchString(added(text, begun)) {
				continue
			}
			if documented {
				text += "\t" + process.OneLine(doc)
			}
			out = append(out, text)
		}
		return out, directive
	}
}

// added returns the text that a completion adds to the word that the user is
// typing.
func added(text, begun string) string {
	n := 0
	for n < len(text) && n < len(begun) && text[n] == begun[n] {
		n++
	}
	return text[n:]
}

// runs matches the characters that a shell interprets in an unquoted word.
// kubectl's script for bash inserts completions unquoted, and doesn't pass the name
// of the shell, so completions with such characters are omitted. fish passes the
// open quote and quotes completions itself.
var runs = regexp.MustCompile("[`;&|<>!\\\\]|\\$[({'\"\\[]")
