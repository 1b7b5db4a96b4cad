package plugin

import (
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/spf13/cobra"
)

const waitLong = `Run the query repeatedly, and succeed as soon as its last value is true: neither false nor null.

The query and the words after it are as without "wait". A query that fails is repeated: what it needs may not exist yet. If parts
of the mesh could not be read, a true value counts only with --allow-partial. After the timeout the exit code is 1, and stderr
says what the last value was. --timeout 0 runs the query once; so does a snapshot, which doesn't change.`

// waitCommand returns the command "wait QUERY [PROXY…]".
func waitCommand(w *process.World, f *options.Flags, root *rootCommand) *cobra.Command {
	name := process.CalledAs(w.Args[0])
	cmd := &cobra.Command{
		Use:   options.WaitName + " QUERY [PROXY…]",
		Short: "Wait until the last value of a query is true",
		Long:  waitLong,
		Example: process.Indent([]string{
			name + ` wait 'all(.proxies[]; synced)' --timeout 60s`,
			name + ` wait '.proxy("reviews-v3") | .ready and synced'`,
		}),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			f.Await = true
			if len(words) == 0 && len(f.Files) == 0 && f.Query == "" {
				return process.Usagef("wait: no query to wait for")
			}
			if !cmd.Flags().Changed("timeout") {
				f.Timeout = options.WaitTimeout
			}
			return runWords(cmd.Context(), w, f, root.argv, words, cmd)
		},
	}
	f.BindWait(cmd.Flags())
	return cmd
}
