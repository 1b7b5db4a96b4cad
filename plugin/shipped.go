package plugin

import (
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/help"
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/spf13/cobra"
)

// queryCommand returns the command of a named query, such as "clusters [PROXY…]".
// Its flags are bound when the command line names it (see [rootCommand.Choose]),
// because there are many such commands, and each has all flags of a query.
func queryCommand(w *process.World, f *options.Flags, root *rootCommand, q shipped.Query, args options.Arguments) *cobra.Command {
	cmd := &cobra.Command{
		Use:     q.Name + " " + help.Takes(q),
		Aliases: q.Aliases,
		Short:   strings.TrimSuffix(q.Summary, "."),
		Args:    cobra.ArbitraryArgs,
		GroupID: groupOf(q),
	}
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		if f.Version {
			return printVersion(w)
		}
		return runNamed(cmd, w, f, root, run.RequestFor(q, args, words))
	}
	cmd.SetHelpFunc(func(*cobra.Command, []string) { help.PrintQueryHelp(w, q) })
	root.bind[cmd] = func() {
		args.Bind(f, cmd.Flags(), q)
		completion{w, f, &q, root}.attach(cmd)
	}
	return cmd
}

func runNamed(cmd *cobra.Command, w *process.World, f *options.Flags, root *rootCommand, a *run.Request) error {
	ctx, stop := w.WithTimeout(cmd.Context(), f.Timeout)
	defer stop()
	return runAsked(ctx, w, f, root.argv, a, cmd)
}

// These are the ids of the command groups in the help.
const (
	queryGroup = "queries"
	checkGroup = "checks"
)

func groupOf(q shipped.Query) string {
	if q.Severity != "" || q.Name == "check" {
		return checkGroup
	}
	return queryGroup
}

// addQueries adds a command for each query that comes with the plugin.
func (r *rootCommand) addQueries(w *process.World, f *options.Flags) {
	r.AddGroup(&cobra.Group{ID: queryGroup, Title: "Queries:"}, &cobra.Group{ID: checkGroup, Title: "Checks:"})
	for _, q := range r.shipped {
		r.AddCommand(queryCommand(w, f, r, q, options.Arguments{}))
	}
}

// Choose reports whether a word names a query, and binds the flags of that query's
// command. more reports whether the next word may be another part of the name.
func (r *rootCommand) Choose(word string) (found, more bool) {
	in := r.Command
	if r.chosen != nil {
		in = r.chosen
	}
	cmd := r.query(in, word)
	if cmd == nil && in == r.Command {
		cmd = r.savedCommand(word)
	}
	if cmd == nil {
		return false, false
	}
	r.chosen = cmd
	r.bind[cmd]()
	r.bind[cmd] = func() {} // bind the flags only once
	return true, cmd.HasSubCommands()
}

// query returns the subcommand that runs the named query, or nil if there is none.
func (r *rootCommand) query(in *cobra.Command, word string) *cobra.Command {
	for _, cmd := range in.Commands() {
		if _, ok := r.bind[cmd]; ok && (cmd.Name() == word || slices.Contains(cmd.Aliases, word)) {
			return cmd
		}
	}
	return nil
}

// namedQuery finds a shipped query by its name.
func namedQuery(name string) (shipped.Query, bool) { return shipped.Find(name, shipped.All()) }
