package plugin

import (
	"regexp"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/printers/safe"
	"github.com/spf13/cobra"
)

// completes is a function that cobra asks for the completions of a word.
type completes = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// offered keeps of what may be offered what is harmless to the shell that gets
// it. Names come from clusters and snapshots of others: a newline in one would
// run what stands behind it.
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

// added is what a completion has that wasn't there.
func added(text, begun string) string {
	n := 0
	for n < len(text) && n < len(begun) && text[n] == begun[n] {
		n++
	}
	return text[n:]
}

// runs is what a shell acts on in a word without quotes. kubectl's own script
// for bash puts in what it is given as it is, and doesn't say which shell asks:
// there, such a word is not offered. fish is known by the quote that it hands
// over, and quotes by itself.
var runs = regexp.MustCompile("[`;&|<>!\\\\]|\\$[({'\"\\[]")
