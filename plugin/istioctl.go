package plugin

import (
	"maps"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/diffcmd"
	"github.com/meshq/kubectl-meshq/plugin/help"
	"github.com/meshq/kubectl-meshq/plugin/istioctl"
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// addSpellings adds commands that are written like those of istioctl. Help
// describes them on a separate page.
func (r *rootCommand) addSpellings(w *process.World, f *options.Flags) {
	for _, s := range istioctl.Spellings() {
		r.AddCommand(r.spelled(w, f, s))
	}
}

func (r *rootCommand) spelled(w *process.World, f *options.Flags, s istioctl.Spelling) *cobra.Command {
	switch {
	case s.Below != nil:
		return r.family(w, f, s)
	case s.Not != "":
		return r.refused(s)
	}
	q, _ := shipped.Find(s.Query, r.shipped)
	if s.Columns != nil {
		q.Columns = map[string][]string{"": s.Columns}
	}
	args := maps.Clone(s.Given)
	if args == nil {
		args = options.Arguments{}
	}
	cmd := queryCommand(w, f, r, q, args)
	cmd.Use, cmd.Aliases, cmd.GroupID, cmd.Hidden = s.Words[0]+" "+help.Takes(q), s.Words[1:], "", true
	ask, compared := cmd.RunE, &diffcmd.Options{Around: diffcmd.Unchanged}
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		words = s.About(words)
		usual := f.Output.Format == "short" || f.Output.Format == "table" && s.Pod != "" // istioctl's names for the default format
		if usual {
			f.Output.Format, cmd.Flags().Lookup("output").Changed = "", false // our default format has no name
		}
		if s.Pod == options.DiffName {
			if len(words) > 0 && len(args) == 0 {
				return compared.Run(cmd.Context(), w, f, words, cmd)
			}
			f.Snapshots = append(f.Snapshots, compared.Files()...)
		}
		if !usual {
			return ask(cmd, words)
		}
		if short, ok := shipped.Find(s.Short, r.shipped); ok {
			return runNamed(cmd, w, f, r, run.RequestFor(short, options.Arguments{}, words))
		}
		return ask(cmd, words)
	}
	r.bind[cmd] = func() {
		ours := pflag.NewFlagSet(s.Query, pflag.ContinueOnError)
		args.Bind(f, ours, q)
		istioctl.BindIstioctl(cmd.Flags(), ours, s.Foreign(&compared.DumpFile))
		completion{w, f, &q, r}.attach(cmd)
	}
	return cmd
}

// refused returns a command of istioctl that is not supported. When it runs, it
// fails with the reason.
func (r *rootCommand) refused(s istioctl.Spelling) *cobra.Command {
	cmd := &cobra.Command{Use: s.Words[0], Aliases: s.Words[1:], Hidden: true, DisableFlagParsing: true}
	cmd.RunE = func(*cobra.Command, []string) error { return process.Usagef("%s", s.Not) }
	r.bind[cmd] = func() {}
	return cmd
}

// family returns a command that only groups subcommands.
func (r *rootCommand) family(w *process.World, f *options.Flags, s istioctl.Spelling) *cobra.Command {
	var names []string
	cmd := &cobra.Command{Use: s.Words[0], Aliases: s.Words[1:], Hidden: true, Args: cobra.ArbitraryArgs}
	for _, below := range s.Below {
		cmd.AddCommand(r.spelled(w, f, below))
		names = append(names, below.Words[0])
	}
	cmd.RunE = func(*cobra.Command, []string) error {
		return process.Usagef("%s: of what? %s", s.Words[0], strings.Join(names, ", "))
	}
	cmd.SetHelpFunc(func(*cobra.Command, []string) { istioctl.PrintSpellings(w.Out, process.CalledAs(w.Args[0])) })
	r.bind[cmd] = func() {}
	return cmd
}
