package plugin

import (
	"context"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/plugin/saved"
	"github.com/spf13/cobra"
)

// understand returns the request of a command line without a subcommand. It
// separates the query from the names of proxies.
func understand(ctx context.Context, w *process.World, f *options.Flags, words []string) (*run.Request, error) {
	switch {
	case len(f.Files) > 1:
		return nil, process.Usagef("-f: one query file at a time")
	case len(f.Files) == 1 && f.Query != "":
		return nil, process.Usagef("-f and -Q: one of them")
	case len(f.Files) == 1:
		return fromFile(ctx, w, f, words)
	case f.Query != "":
		return &run.Request{Query: f.Query, Proxies: words}, nil
	case len(words) == 0 && f.Plain():
		return &run.Request{Query: "."}, nil
	case len(words) == 0:
		return named(w, []string{run.StatusName})
	case saved.Name.MatchString(words[0]) && !f.Plain():
		return named(w, words)
	}
	if err := noFile(words[0]); err != nil {
		return nil, err
	}
	return &run.Request{Query: words[0], Proxies: words[1:]}, nil
}

func named(w *process.World, words []string) (*run.Request, error) {
	if q, ok := namedQuery(words[0]); ok {
		return run.RequestFor(q, options.Arguments{}, words[1:]), nil
	}
	q, found, err := saved.Find(w, words[0])
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, noQuery(words)
	}
	return asks(w, q, options.Arguments{}, words[1:]), nil
}

// runWords runs a command line that has no subcommand.
func runWords(ctx context.Context, w *process.World, f *options.Flags, argv *options.CommandLine, words []string, cmd *cobra.Command) error {
	ctx, stop := w.WithTimeout(ctx, f.Timeout)
	defer stop()
	a, err := understand(ctx, w, f, words)
	if err != nil {
		return err
	}
	return runAsked(ctx, w, f, argv, a, cmd)
}

// runAsked checks the flags and runs a request.
func runAsked(ctx context.Context, w *process.World, f *options.Flags, argv *options.CommandLine, a *run.Request, cmd *cobra.Command) error {
	if err := f.Check(a.Proxies); err != nil {
		return err
	}
	r := &run.Run{World: w, Flags: f, Argv: argv, Request: a, Changed: cmd.Flags().Changed}
	err := r.Do(ctx)
	if a.Ours {
		return run.Unplaced(err)
	}
	return err
}
