package plugin

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/plugin/shell"
	"github.com/meshq/kubectl-meshq/query/complete"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/spf13/cobra"
)

// These are the time limits for one completion. A completion omits candidates that
// are not known by then.
const (
	liveTime = time.Second
	fileTime = 3 * time.Second // reading a snapshot may be slow on a busy machine, but needs no network
)

// patience returns the time limit for one completion.
func (c completion) patience() time.Duration {
	if len(c.Snapshots) > 0 || c.Plain() {
		return fileTime
	}
	return liveTime
}

// completed returns the name of cobra's completion command, and the words of the
// command line to complete. The last word is the one that the user is typing. ok is
// false if the program wasn't started for completion.
func completed(args []string) (command string, words []string, ok bool) {
	if strings.TrimSuffix(filepath.Base(args[0]), ".exe") == shell.LinkName {
		command, words = cobra.ShellCompRequestCmd, args[1:]
	} else if len(args) > 1 && (args[1] == cobra.ShellCompRequestCmd || args[1] == cobra.ShellCompNoDescRequestCmd) {
		command, words = args[1], args[2:]
	} else {
		return "", nil, false
	}
	if len(words) == 0 {
		words = []string{""}
	}
	return command, words, true
}

// completeWords prints completions of the last word in the format that cobra's
// shell scripts read.
func completeWords(ctx context.Context, w *process.World, command string, words []string) int {
	world := *w
	world.In, world.Err, world.ErrTerminal = strings.NewReader(""), io.Discard, false // standard input and standard error belong to the shell
	_, code := completeLast(ctx, &world, command, words)
	return code
}

// completeLast prints completions of the last word. If that word is a query,
// completeLast also returns the candidates.
func completeLast(ctx context.Context, w *process.World, command string, words []string) (*complete.Result, int) {
	f := options.NewFlags()
	root := newRoot(w, f)
	root.adoptAll(w)
	begun := words[len(words)-1]
	if !strings.HasPrefix(begun, "-") {
		begun = "\x00" // this marker lets us recognize the last word after parsing
	}
	timed, stop := context.WithTimeout(ctx, fileTime)
	defer stop()
	cmd, err := root.parse(timed, w, f, append(slices.Clone(words[:len(words)-1]), begun))
	if err != nil || len(cmd.Words) == 0 || cmd.Words[len(cmd.Words)-1] != begun {
		fmt.Fprintf(w.Out, ":%d\n", cobra.ShellCompDirectiveDefault) // the last word is the name, the value or the file of an option such as --arg
		return nil, process.ExitOK
	}
	cmd.Words[len(cmd.Words)-1] = words[len(words)-1]
	root.argv = cmd
	root.SetArgs(append([]string{command}, cmd.Words...))
	code := reportError(w, root.ExecuteContext(ctx))
	return root.offered, code
}

// A completion completes the words and flags of a command.
type completion struct {
	*process.World
	*options.Flags
	named *shipped.Query // the named query whose arguments are completed; nil if there is none
	root  *rootCommand
}

// command returns the parsed command line. It returns an empty one if no command
// line was parsed.
func (c completion) command() *options.CommandLine {
	if c.root == nil || c.root.argv == nil {
		return &options.CommandLine{}
	}
	return c.root.argv
}

// attach registers the completion functions of a command with cobra.
func (c completion) attach(cmd *cobra.Command) {
	cmd.ValidArgsFunction = c.offered(func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		words, directive := c.words(cmd, args, begun)
		return slices.DeleteFunc(words, func(word string) bool { return strings.HasPrefix(word, "-") }), directive // cobra would parse a completion that begins with "-" as a flag
	})
	for name, of := range map[string]func(cmd *cobra.Command, begun string) []string{
		"namespace":       c.namespaces,
		"istio-namespace": c.namespaces,
		"context":         c.contextNames,
		"contexts":        c.contextNames,
		"cluster":         c.clusterNames,
		"user":            c.userNames,
		"output":          c.formats,
		"sections":        func(*cobra.Command, string) []string { return run.SectionNames() },
		"color":           func(*cobra.Command, string) []string { return []string{"always", "auto", "never"} },
	} {
		c.register(cmd, name, of)
	}
	if cmd.Flags().Lookup("query") != nil {
		_ = cmd.RegisterFlagCompletionFunc("query", c.offered(func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return c.queries(cmd, begun)
		}))
	}
	for _, name := range []string{
		"selector", "timeout", "request-timeout", "concurrency", "memory", "spool", "max-fetch", "proxy-admin-port", "revision",
		"label-columns", "sort-by", "template", "indent", "pilot", "envoy", "server", "token", "as", "as-group", "as-uid",
	} {
		c.register(cmd, name, func(*cobra.Command, string) []string { return nil })
	}
	if cmd.Flags().Lookup("library-path") != nil {
		_ = cmd.MarkFlagDirname("library-path") // the flag exists, so there is no error
	}
	if c.named == nil {
		return
	}
	for _, arg := range c.named.Args {
		c.register(cmd, arg.Name, func(cmd *cobra.Command, _ string) []string { return c.values(cmd, arg) })
	}
}

// register registers a completion function for the values of a flag, if the command
// has that flag.
func (c completion) register(cmd *cobra.Command, name string, of func(*cobra.Command, string) []string) {
	if cmd.Flags().Lookup(name) == nil {
		return
	}
	_ = cmd.RegisterFlagCompletionFunc(name, c.offered(func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		before := ""
		if name == "contexts" || name == "sections" || name == "only" || name == "skip" { // the values of these flags are lists, separated by commas
			before = begun[:strings.LastIndexByte(begun, ',')+1]
		}
		directive := cobra.ShellCompDirectiveNoFileComp
		var out []string
		for _, v := range of(cmd, begun) {
			if v = before + v; strings.HasPrefix(v, begun) {
				out = append(out, v)
			}
		}
		if len(out) == 1 && strings.HasSuffix(out[0], "=") {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return out, directive
	}))
}
