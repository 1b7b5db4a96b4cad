package plugin

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// completer is the name that kubectl looks for when it completes the words of
// the plugin: the same program, linked.
const completer = "kubectl_complete-meshq"

// completionTime is how long a TAB may take. What isn't known then is not
// offered.
const completionTime = time.Second

// completed gives the words that are to be completed, the last one begun, and
// cobra's command for it; ok is false where a query is to be run.
func completed(args []string) (command string, words []string, ok bool) {
	if strings.TrimSuffix(filepath.Base(args[0]), ".exe") == completer {
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

// complete prints what the last word may become, as cobra's shells take it.
func complete(ctx context.Context, w *World, command string, words []string) int {
	world := *w
	world.In, world.Err, world.ErrTerminal = strings.NewReader(""), io.Discard, false // the shell's, not ours
	f := newFlags()
	root := newRoot(&world, f)
	root.adoptAll(&world)
	begun := words[len(words)-1]
	if !strings.HasPrefix(begun, "-") {
		begun = "\x00" // so that it is found again
	}
	cmd, err := root.parse(ctx, &world, f, append(slices.Clone(words[:len(words)-1]), begun))
	if err != nil || len(cmd.words) == 0 || cmd.words[len(cmd.words)-1] != begun {
		fmt.Fprintf(w.Out, ":%d\n", cobra.ShellCompDirectiveDefault) // a variable's name, value or file
		return exitOK
	}
	cmd.words[len(cmd.words)-1] = words[len(words)-1]
	root.argv = cmd
	root.SetArgs(append([]string{command}, cmd.words...))
	return report(&world, root.ExecuteContext(ctx))
}

// A completion knows what words and flags may become.
type completion struct {
	*World
	*flags
	named *shipped.Query // whose words and arguments they are; nil: of no named query
}

// attach has cobra ask for completions of a command.
func (c completion) attach(cmd *cobra.Command) {
	cmd.ValidArgsFunction = c.words
	for name, of := range map[string]func(cmd *cobra.Command, begun string) []string{
		"namespace":       c.namespaces,
		"istio-namespace": c.namespaces,
		"context":         c.contextNames,
		"contexts":        c.contextNames,
		"cluster":         c.clusterNames,
		"user":            c.userNames,
		"output":          c.formats,
		"sections":        func(*cobra.Command, string) []string { return sectionNames() },
		"color":           func(*cobra.Command, string) []string { return []string{"always", "auto", "never"} },
	} {
		c.register(cmd, name, of)
	}
	for _, name := range []string{
		"selector", "query", "timeout", "request-timeout", "concurrency", "memory", "max-fetch", "proxy-admin-port", "revision",
		"label-columns", "sort-by", "template", "indent", "pilot", "envoy", "server", "token", "as", "as-group", "as-uid",
	} {
		c.register(cmd, name, func(*cobra.Command, string) []string { return nil })
	}
	if cmd.Flags().Lookup("library-path") != nil {
		_ = cmd.MarkFlagDirname("library-path") // it is there
	}
	if c.named == nil {
		return
	}
	for _, arg := range c.named.Args {
		c.register(cmd, arg.Name, func(*cobra.Command, string) []string { return arg.Choices })
	}
}

// register completes the values of a flag, if the command has it.
func (c completion) register(cmd *cobra.Command, name string, of func(*cobra.Command, string) []string) {
	if cmd.Flags().Lookup(name) == nil {
		return
	}
	_ = cmd.RegisterFlagCompletionFunc(name, func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		before := ""
		if name == "contexts" || name == "sections" { // lists
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
	})
}

// words completes the words of a command: a query's name or a file, then
// proxies.
func (c completion) words(cmd *cobra.Command, args []string, begun string) (out []string, _ cobra.ShellCompDirective) {
	given := len(c.files) > 0 || c.query != "" || c.named != nil || cmd.Name() == diffName
	switch {
	case c.plain():
	case len(args) == 0 && cmd.Name() == "snapshot":
		return nil, cobra.ShellCompDirectiveDefault // the file to write
	case len(args) == 0 && !given:
		out = c.names(cmd, begun)
	default:
		for _, id := range c.proxies(cmd) {
			if strings.HasPrefix(id, begun) && !slices.Contains(args, id) {
				out = append(out, id)
			}
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// names gives the commands, those of queries too. They are cobra's to tell,
// but where a flag stands in front.
func (c completion) names(cmd *cobra.Command, begun string) (out []string) {
	if cmd.Flags().NFlag() == 0 {
		return nil
	}
	for _, sub := range cmd.Commands() {
		if strings.HasPrefix(sub.Name(), begun) && sub.IsAvailableCommand() {
			out = append(out, sub.Name()+"\t"+sub.Short)
		}
	}
	return out
}

func (c completion) formats(*cobra.Command, string) (out []string) {
	for _, f := range printers.Formats() {
		if f.Takes != "" {
			f.Name += "="
		}
		out = append(out, f.Name)
	}
	return out
}

func (c completion) contextNames(*cobra.Command, string) []string {
	config, err := c.kube.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(config.Contexts))
}

func (c completion) clusterNames(*cobra.Command, string) []string {
	config, err := c.kube.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(config.Clusters))
}

func (c completion) userNames(*cobra.Command, string) []string {
	config, err := c.kube.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(config.AuthInfos))
}

func (c completion) proxies(cmd *cobra.Command) []string {
	return c.ask(cmd, func(ctx context.Context, m *sources.Mesh) []string { return m.Names(ctx) })
}

// namespaces are the API server's; where it may not be asked for them, the
// proxies'.
func (c completion) namespaces(cmd *cobra.Command, _ string) []string {
	*c.kube.Namespace = "" // the one that is being written
	return c.ask(cmd, func(ctx context.Context, m *sources.Mesh) (out []string) {
		list, err := mesh.Get(ctx, m.Document(), "namespaces")
		if err == nil {
			list, err = mesh.Deep(ctx, list)
		}
		all, _ := list.([]any)
		if err == nil && len(all) > 0 {
			for _, v := range all {
				about, _ := v.(map[string]any)["metadata"].(map[string]any)
				name, _ := about["name"].(string)
				out = append(out, name)
			}
			return out
		}
		for _, id := range m.Names(ctx) {
			out = append(out, id[strings.LastIndexByte(id, '.')+1:])
		}
		slices.Sort(out)
		return slices.Compact(out)
	})
}

// ask opens the mesh that the words mean and asks it, for as long as a TAB may
// take. Whatever is wrong with it, nothing is offered.
func (c completion) ask(cmd *cobra.Command, of func(context.Context, *sources.Mesh) []string) []string {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	for _, list := range []*[]string{&c.snapshots, &c.contexts, &c.pilots, &c.envoys} {
		*list = unique(*list)
	}
	r := &run{World: c.World, flags: c.flags, argv: &command{}, asked: &asked{}, changed: cmd.Flags().Changed}
	answer := make(chan []string, 2)
	go func() {
		var err error
		if r.labels, err = labels.Parse(r.selector); err != nil {
			r.labels = labels.Everything()
		}
		if answers, err := r.openSources(ctx); err == nil {
			_ = r.within(ctx, answers, func(ctx context.Context) error {
				answer <- of(ctx, r.mesh)
				return nil
			})
			_ = closeAll(answers)
		}
		answer <- nil
	}()
	select {
	case out := <-answer:
		return out
	case <-time.After(completionTime + completionTime/10): // something doesn't heed ctx
		return nil
	}
}

// unique leaves out what is there again: cobra reads flags twice.
func unique(all []string) (out []string) {
	for _, s := range all {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
