package plugin

import (
	"regexp"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/spf13/cobra"
)

// completes is a completion function of cobra.
type completes = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// offered removes completions that could harm the shell. Names come from
// clusters and snapshots of others: a newline in a name would run what follows
// it.
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

// added returns what a completion adds to the word.
func added(text, begun string) string {
	n := 0
	for n < len(text) && n < len(begun) && text[n] == begun[n] {
		n++
	}
	return text[n:]
}

// runs matches what a shell acts on in an unquoted word. kubectl's script for
// bash inserts completions unquoted and doesn't pass the name of the shell:
// such words are omitted there. fish passes its quote, and quotes by itself.
var runs = regexp.MustCompile("[`;&|<>!\\\\]|\\$[({'\"\\[]")
