package plugin

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshq/kubectl-meshq/query/shipped"
)

// A queryFile is the file of -f, read before the flags are: its header says
// what flags there are.
type queryFile struct {
	saved
	args arguments
	err  error // of reading it
}

// parse takes the words apart. Where they name a query's file, its arguments
// are flags like any other, wherever they stand: the words are split again,
// with them known.
func (r *rootCommand) parse(ctx context.Context, w *World, f *flags, words []string) (*command, error) {
	cmd, err := split(words, r)
	if err != nil || len(cmd.files) != 1 || r.other(cmd.first()) {
		return cmd, err
	}
	ctx, stop := inTime(ctx, w, cmd.words)
	defer stop()
	q, err := readFile(ctx, w, cmd.files[0])
	f.file = &queryFile{q, arguments{}, err}
	if err != nil {
		return cmd, nil
	}
	sets := []*cobra.Command{r.Command}
	if wait := r.named(cmd.first()); wait != nil && wait.Name() == waitName {
		sets = append(sets, wait)
	}
	for _, set := range sets {
		f.file.args.add(set.Flags(), q.Query)
	}
	r.chosen = nil
	return split(words, r)
}

// inTime bounds what is read before the flags are known by the --timeout among
// the words.
func inTime(ctx context.Context, w *World, words []string) (context.Context, context.CancelFunc) {
	f := newFlags()
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.bind(set)
	set.ParseErrorsAllowlist.UnknownFlags = true
	_ = set.Parse(words) // what is wrong with them is told later
	return f.within(ctx, w)
}

// named gives the command of that name, which may be a query's; nil: there is none.
func (r *rootCommand) named(name string) *cobra.Command {
	for _, cmd := range r.Commands() {
		if cmd.Name() == name || slices.Contains(cmd.Aliases, name) {
			return cmd
		}
	}
	return nil
}

// other tells whether a word names a command that asks no query of the user's.
func (r *rootCommand) other(word string) bool {
	cmd := r.named(word)
	if cmd == nil || cmd.Name() == waitName {
		return false
	}
	_, query := r.bind[cmd]
	return !query
}

// add gives a flag set the arguments of a query, but those that the set has a
// flag for: such a one is given by --arg.
func (a arguments) add(s *pflag.FlagSet, q shipped.Query) {
	for _, arg := range q.Args {
		if s.Lookup(arg.Name) == nil {
			a.bindOne(s, arg)
		}
	}
}

// readFile reads what -f names, which may be a pipe; "-" is standard input.
func readFile(ctx context.Context, w *World, path string) (saved, error) {
	in, err := w.openOption(ctx, path)
	if err != nil {
		return saved{}, err
	}
	defer in.Close()
	shown := fileName(path)
	text, err := io.ReadAll(io.LimitReader(in, mostQuery+1))
	switch {
	case ctx.Err() != nil:
		return saved{}, &exitError{exitRun, ctx.Err()}
	case err != nil:
		return saved{}, usage("%s: %s", shown, fact(err))
	case isDump(string(text)):
		return saved{}, usage("%s: that is a config dump, not a query: give it with --snapshot %s", shown, path)
	case len(text) > mostQuery:
		return saved{}, usage("%s: more than %d MB, which is no query", shown, mostQuery>>20)
	}
	q, err := w.header(path, string(text))
	return saved{Query: q, path: path}, err
}

// isDump tells whether a text looks like what an Envoy gives of its
// configuration, or istioctl proxy-config -o json.
func isDump(text string) bool {
	s := strings.TrimSpace(text)
	return strings.HasPrefix(s, "{") && strings.Contains(s[:min(len(s), 200)], `"configs"`)
}

// fromFile asks the query of a file, which may have a header.
func (f *flags) fromFile(ctx context.Context, w *World, words []string) (*asked, error) {
	if f.file == nil {
		q, err := readFile(ctx, w, f.files[0])
		f.file = &queryFile{q, arguments{}, err}
	}
	if f.file.err != nil {
		return nil, f.file.err
	}
	a := f.file.asks(w, f.file.args, words)
	a.file = fileName(a.file)
	return a, nil
}
