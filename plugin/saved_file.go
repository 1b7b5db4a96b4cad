package plugin

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/plugin/saved"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// parse splits the command line. If an option names a query file, parse adds the
// flags that the header of the file declares, and splits the line again.
func (r *rootCommand) parse(ctx context.Context, w *process.World, f *options.Flags, words []string) (*options.CommandLine, error) {
	cmd, err := options.Split(words, r)
	if err != nil || len(cmd.Files) != 1 || r.other(cmd.First()) {
		return cmd, err
	}
	ctx, stop := inTime(ctx, w, cmd.Words)
	defer stop()
	q, err := readFile(ctx, w, cmd.Files[0])
	f.File = &options.QueryFile{Query: q.Query, Path: q.Path, Args: options.Arguments{}, Err: err}
	if err != nil {
		return cmd, nil
	}
	sets := []*cobra.Command{r.Command}
	if wait := r.named(cmd.First()); wait != nil && wait.Name() == options.WaitName {
		sets = append(sets, wait)
	}
	for _, set := range sets {
		f.File.Args.Add(set.Flags(), q.Query)
	}
	r.chosen = nil
	return options.Split(words, r)
}

// inTime returns a context that ends after the --timeout in words. It is for
// reading files before the flags are parsed.
func inTime(ctx context.Context, w *process.World, words []string) (context.Context, context.CancelFunc) {
	f := options.NewFlags()
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Bind(set)
	set.ParseErrorsAllowlist.UnknownFlags = true
	_ = set.Parse(words) // the flags are parsed again later, which reports the error
	return w.WithTimeout(ctx, f.Timeout)
}

// named returns the subcommand with a name, or nil if there is none.
func (r *rootCommand) named(name string) *cobra.Command {
	for _, cmd := range r.Commands() {
		if cmd.Name() == name || slices.Contains(cmd.Aliases, name) {
			return cmd
		}
	}
	return nil
}

// other reports whether a word names a subcommand that doesn't run a query of the
// user.
func (r *rootCommand) other(word string) bool {
	cmd := r.named(word)
	if cmd == nil || cmd.Name() == options.WaitName {
		return false
	}
	_, query := r.bind[cmd]
	return !query
}

// readFile reads the query file that -f names. The file may be a named pipe; "-" is
// standard input.
func readFile(ctx context.Context, w *process.World, path string) (saved.Query, error) {
	in, err := w.OpenOption(ctx, path)
	if err != nil {
		return saved.Query{}, err
	}
	defer in.Close()
	shown := process.FileName(path)
	text, err := io.ReadAll(io.LimitReader(in, saved.MaxSize+1))
	switch {
	case ctx.Err() != nil:
		return saved.Query{}, process.Exit(process.ExitRun, ctx.Err())
	case err != nil:
		return saved.Query{}, process.Usagef("%s: %s", shown, process.Fact(err))
	case isDump(string(text)):
		return saved.Query{}, process.Usagef("%s: that is a config dump, not a query: give it with --snapshot %s", shown, path)
	case len(text) > saved.MaxSize:
		return saved.Query{}, process.Usagef("%s: more than %d MB, which is no query", shown, saved.MaxSize>>20)
	}
	q, err := saved.ReadHeader(w, path, string(text))
	return saved.Query{Query: q, Path: path}, err
}

// isDump reports whether a text looks like a config dump of an Envoy, or like the
// output of istioctl proxy-config -o json.
func isDump(text string) bool {
	s := strings.TrimSpace(text)
	return strings.HasPrefix(s, "{") && strings.Contains(s[:min(len(s), 200)], `"configs"`)
}

// fromFile returns the request to run the query in the file that -f names.
func fromFile(ctx context.Context, w *process.World, f *options.Flags, words []string) (*run.Request, error) {
	if f.File == nil {
		q, err := readFile(ctx, w, f.Files[0])
		f.File = &options.QueryFile{Query: q.Query, Path: q.Path, Args: options.Arguments{}, Err: err}
	}
	if f.File.Err != nil {
		return nil, f.File.Err
	}
	a := asks(w, saved.Query{Query: f.File.Query, Path: f.File.Path}, f.File.Args, words)
	a.File = process.FileName(a.File)
	return a, nil
}

// asks returns the request to run a saved query.
func asks(w *process.World, q saved.Query, args options.Arguments, words []string) *run.Request {
	a := run.RequestFor(q.Query, args, words)
	a.File, a.Path, a.Status, a.Ours = w.Near(q.Path), q.Path, false, false
	if own := saved.Hidden(w, q); own != "" {
		w.Say("note: %s is run: it hides your own %s", w.Near(q.Path), w.Near(own))
	}
	return a
}

// taken returns the reason why a saved query can't have a name. It returns "" if it
// can.
func (r *rootCommand) taken(name string) string {
	switch {
	case !saved.Name.MatchString(name):
		return fmt.Sprintf("%q is no name of a query: those are letters, digits and dashes, a letter first", name)
	case name == "help" || name == "completion":
		return name + " is a command of the plugin"
	}
	for _, cmd := range r.Commands() {
		if _, ok := r.savedOf[cmd]; ok || cmd.Name() != name && !slices.Contains(cmd.Aliases, name) {
			continue
		}
		if _, ok := r.bind[cmd]; ok && cmd.GroupID != "" {
			return name + " is a query that comes with the plugin"
		}
		return name + " is a command of the plugin"
	}
	return ""
}

// noQuery returns the error for a name that no query has.
func noQuery(words []string) error {
	name := words[0]
	if name == "get" && len(words) > 1 {
		return process.Usagef("there is no get: %s", insteadOfGet(words[1]))
	}
	for _, k := range sources.Kinds() {
		if k.Name == "Mesh" && slices.ContainsFunc(k.Fields, func(f mesh.Field) bool { return f.Name == name }) {
			return process.Usagef("no query named %s; did you mean '.%s'?", name, name)
		}
	}
	if near := syntax.Nearest(commandNames(), name); near != "" {
		return process.Usagef("no query named %s; did you mean %s?", name, near)
	}
	return process.Usagef("no query named %s; for jq write '.|%s'", name, name)
}

// insteadOfGet says how the objects that kubectl get would print are read here.
func insteadOfGet(what string) string {
	what, _, _ = strings.Cut(strings.ToLower(what), "/")
	if what == "proxies" || what == "proxy" || what == "pods" || what == "pod" || what == "po" {
		return "status lists the proxies, and '.pods[]' all pods"
	}
	for _, q := range shipped.All() {
		if q.Name == what || slices.Contains(q.Aliases, what) {
			return "write " + q.Name
		}
	}
	var fields []string
	for _, k := range sources.Kinds() {
		for _, f := range k.Fields {
			if k.Name == "Mesh" && f.Of != "" && (strings.EqualFold(f.Name, what) || strings.EqualFold(f.Of, what)) {
				fields = append(fields, "'."+f.Name+"[]'")
			}
		}
	}
	if fields != nil {
		return "write " + strings.Join(fields, " or ")
	}
	return "list names the queries, and help document the objects"
}

// commandNames returns the names of the commands and of the queries that come with
// the plugin, in the order in which they are suggested.
func commandNames() []string {
	names := []string{"trace", "diff", "snapshot", "wait", "graph", "report", "shell", "list", "show", "save", "remove", "completion", "help", "version"}
	for _, q := range shipped.All() {
		names = append(append(names, q.Name), q.Aliases...)
	}
	return names
}

// noFile returns an error if the word in place of the query is the name of a file.
func noFile(word string) error {
	how := ""
	switch {
	case strings.HasSuffix(word, saved.Suffix):
		how = "a file with a query is given with -f"
	case slices.ContainsFunc([]string{".json", ".tar", ".gz", ".tgz", ".zst"}, func(end string) bool { return strings.HasSuffix(word, end) }):
		how = "a recorded mesh is given with --snapshot"
	}
	if info, err := os.Stat(word); how == "" || err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return process.Usagef("%s is a file, not a query: %s %s", word, how, word)
}
