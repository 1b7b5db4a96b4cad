package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/diffcmd"
	"github.com/meshq/kubectl-meshq/plugin/graphcmd"
	"github.com/meshq/kubectl-meshq/plugin/help"
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/report"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/plugin/saved"
	"github.com/meshq/kubectl-meshq/plugin/shell"
	"github.com/meshq/kubectl-meshq/plugin/whatif"
	"github.com/meshq/kubectl-meshq/query/complete"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// execute runs one command line and returns its exit code. The end of ctx means
// that the user interrupted the run.
func execute(ctx context.Context, w *process.World) int {
	w, flush := w.Safely()
	defer flush()
	if command, words, ok := completed(w.Args); ok {
		return completeWords(ctx, w, command, words)
	}
	if len(w.Args) > 1 && w.Args[1] == lineRequest {
		return completeLine(ctx, w, w.Args[2:])
	}
	f := options.NewFlags()
	root := newRoot(w, f)
	cmd, err := root.parse(ctx, w, f, w.Args[1:])
	if err == nil {
		if cmd.Given && root.query(root.Command, cmd.First()) != nil || strings.HasPrefix(cmd.First(), "-") {
			cmd.Outspoken()
		}
		if first := cmd.First(); first == "help" || first == "" { // these command lines may print help, which lists the saved queries
			root.adoptAll(w)
		}
		root.argv = cmd
		root.SetArgs(cmd.Words)
		err = root.ExecuteContext(ctx)
	}
	code := reportError(w, err)
	if ctx.Err() != nil && code != process.ExitOK {
		return process.ExitInterrupted
	}
	return code
}

// reportError prints the error that ended the run, if there is one, and returns the exit
// code.
func reportError(w *process.World, err error) int {
	if err == nil {
		return process.ExitOK
	}
	code := process.ExitUsage
	var e *process.ExitError
	if errors.As(err, &e) {
		code = e.Code
	}
	if text := run.Describe(err); text != "" {
		fmt.Fprintln(w.Err, "error: "+text)
	}
	return code
}

// A rootCommand is the command kubectl meshq. If the first word is not a
// subcommand, it runs a query.
type rootCommand struct {
	*cobra.Command
	argv   *options.CommandLine
	bind   map[*cobra.Command]func() // for the command of each named query, a function that adds its flags
	chosen *cobra.Command            // the command of the named query on the command line; nil if there is none

	shipped []shipped.Query                         // the queries that come with the plugin
	savedOf map[*cobra.Command]saved.Query          // the saved queries for which a command was created
	offered *complete.Result                        // the completions of the query that the user is typing; nil if the last word is no query
	save    func(saved.Query) *cobra.Command        // a function that creates the command of a saved query
	find    func(string) (saved.Query, bool, error) // a function that finds a saved query by its name
}

func newRoot(w *process.World, f *options.Flags) *rootCommand {
	root := &rootCommand{bind: map[*cobra.Command]func(){}, shipped: shipped.All(), savedOf: map[*cobra.Command]saved.Query{}}
	root.Command = &cobra.Command{
		Use:           "meshq [QUERY | NAME] [PROXY…]",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: process.CalledAs(w.Args[0])},
		Short:         "Query a service mesh like one JSON document",
		Long:          long,
		Example:       process.Indent(examples(process.CalledAs(w.Args[0]))),
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, words []string) error {
			if f.Version {
				return printVersion(w)
			}
			if f.BuildConfig {
				return printBuild(w)
			}
			return runWords(cmd.Context(), w, f, root.argv, words, cmd)
		},
	}
	root.SetOut(w.Out)
	root.SetErr(w.Err)
	root.SetIn(w.In)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return process.Usagef("%w%s", err, cmp.Or(flagHint(w.Args), nearFlag(cmd, err)))
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	f.Bind(root.Flags())
	wait, snapshot, diff := waitCommand(w, f, root), snapshotCommand(w, f), diffcmd.New(w, f)
	graph, page, whatIf := graphcmd.New(w, f), report.New(w, f), whatif.New(w, f)
	root.AddCommand(wait, snapshot, diff, graph, page, whatIf, versionCommand(w))
	for _, cmd := range []*cobra.Command{root.Command, wait, snapshot, diff, graph, page, whatIf} {
		completion{w, f, nil, root}.attach(cmd)
	}
	trace := traceCommand(w, f, root)
	root.AddCommand(trace, shellCommand(w, f))
	completion{w, f, nil, root}.attach(trace)
	root.addQueries(w, f)
	root.addSpellings(w, f)
	root.adopt(w, f)
	root.AddCommand(listCommand(w, root), showCommand(w, root), saveCommand(w, root), removeCommand(w, root))
	root.AddCommand(shell.CompletionCommand(w))
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if cmd == root.Command {
			_ = help.PrintOverview(w.Out, process.CalledAs(w.Args[0]), cmd) // a write error is ignored, as in all printing of help
			return
		}
		help.PrintCommand(w.Out, process.CalledAs(w.Args[0]), cmd, root.Flags())
	})
	root.SetHelpCommand(onTopics(root, helpCommand(w, root)))
	return root
}

// Valued implements the grammar of package options. It knows the flags of the
// chosen command.
func (r *rootCommand) Valued(word string) (name string, attached bool) {
	set := r.Flags()
	if r.chosen != nil && r.chosen.HasFlags() {
		set = r.chosen.Flags()
	}
	if long, ok := strings.CutPrefix(word, "--"); ok {
		long, _, attached = strings.Cut(long, "=")
		if f := set.Lookup(long); f != nil && f.NoOptDefVal == "" {
			return f.Name, attached
		}
		return "", false
	}
	for i := 1; i < len(word); i++ { // the value of -n is x in "-nx", and the next word after "-rn"
		f := set.ShorthandLookup(word[i : i+1])
		if f == nil {
			return "", false
		}
		if f.NoOptDefVal == "" {
			return f.Name, i < len(word)-1
		}
	}
	return "", false
}

// flagHint returns a hint for short flags that have another meaning in jq.
func flagHint(args []string) string {
	for _, a := range args[1:] {
		switch a {
		case "-a":
			return " (jq's -a is --ascii-output)"
		case "-R", "--raw-input":
			return " (raw input is not offered)"
		}
	}
	return ""
}

// nearFlag returns the flag that was probably meant by an unknown one.
func nearFlag(cmd *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return ""
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := syntax.Nearest(names, unknown.GetSpecifiedName()); near != "" {
		return "; did you mean --" + near + "?"
	}
	return ""
}

const long = `Query the whole mesh, as istiod and Envoy see it, like one JSON document in jq. Only what the query touches is read.

The document: .pilots[] .proxies[] .services[] .virtualServices[] … .faults[]; a proxy has its sync state and, read on demand,
.clusters .listeners .routes .endpoints .secrets .extensions .bootstrap .server .stats .loggers.
Functions are methods too: .proxy("reviews-v1").route("9080") is proxy("reviews-v1") | route("9080").

Without a query, it prints the state of every proxy. A first word that is a plain name is a saved query ("status" comes with the
plugin); any other first word is a query. The words after it are proxies. Short flags of kubectl keep kubectl's meaning (-n is the
namespace, -s the server), the other short flags of jq keep jq's, and all of jq's options have their long names. The connection
flags (--context, --server, …) are for a live mesh; a snapshot needs none.`

func examples(name string) []string {
	return []string{
		name + " --snapshot demo",
		name + ` --snapshot demo '.proxies[] | select(.rds=="STALE")'`,
		name + ` --snapshot demo '.proxy("istio-ingressgateway").route("http.80").match("/productpage")'`,
		name + ` --snapshot demo '[.proxies[].clusters[] | select(.subset=="v3")] | length'`,
	}
}

// isQuery reports whether a command runs a named query.
func (r *rootCommand) isQuery(cmd *cobra.Command) bool {
	_, ok := r.bind[cmd]
	return ok
}
