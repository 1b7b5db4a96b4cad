package plugin

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/istioctl"
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/spf13/cobra"
)

func someRoot() *rootCommand {
	return newRoot(&process.World{Args: []string{"kubectl-meshq"}}, options.NewFlags())
}

// TestFlagSets checks the flags of every command. pflag panics if a command has two
// flags of the same name. An argument of a query must not have the name of a flag
// that every query has, except those in options.Lendable.
func TestFlagSets(t *testing.T) {
	root := someRoot()
	var names []string
	for _, cmd := range root.Commands() {
		names = append(append(names, cmd.Name()), cmd.Aliases...)
	}
	slices.Sort(names)
	if once := slices.Compact(slices.Clone(names)); len(once) != len(names) {
		t.Errorf("one name is two commands' in %q", names)
	}
	for _, q := range shipped.All() {
		root := someRoot()
		if found, _ := root.Choose(q.Name); !found {
			t.Fatalf("%s can't be called", q.Name)
		}
		set := root.chosen.Flags()
		for _, arg := range q.Args {
			if set.Lookup(arg.Name) == nil {
				t.Errorf("%s has no flag --%s", q.Name, arg.Name)
			}
			if options.Reserved(arg) && !slices.Contains(options.Lendable, arg.Name) {
				t.Errorf("--%s of %s takes the place of a flag that every query has", arg.Name, q.Name)
			}
		}
		for _, name := range []string{"namespace", "selector", "output", "snapshot", "fail-on-match"} {
			if set.Lookup(name) == nil {
				t.Errorf("%s has no flag --%s", q.Name, name)
			}
		}
	}
}

func TestReserved(t *testing.T) {
	for _, a := range []shipped.Argument{{Name: "namespace"}, {Name: "cluster"}, {Name: "help"}, {Name: "x", Short: "h"}, {Name: "x", Short: "n"}, {Name: "from-file"}} {
		if !options.Reserved(a) {
			t.Errorf("%v", a)
		}
	}
	if options.Reserved(shipped.Argument{Name: "port", Short: "p"}) {
		t.Error("--port, -p is taken")
	}
}

func everyCommand(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, below := range cmd.Commands() {
		all = append(all, everyCommand(below)...)
	}
	return all
}

// TestSpellings binds the flags of every command that is written like istioctl's,
// and checks that the query it runs exists.
func TestSpellings(t *testing.T) {
	var each func(path []string, s istioctl.Spelling)
	each = func(path []string, s istioctl.Spelling) {
		if s.Below != nil {
			for _, below := range s.Below {
				each(append(slices.Clone(path), s.Words[0]), below)
			}
			return
		}
		for _, query := range []string{s.Query, s.Short} {
			if _, ok := namedQuery(query); !ok && query != "" {
				t.Errorf("%q is %s, which there is not", s.Words, query)
			}
		}
		if s.Query == "" && s.Not == "" {
			t.Errorf("%q is nothing", s.Words)
		}
		for _, word := range s.Words {
			root := someRoot()
			for _, word := range append(slices.Clone(path), word) {
				if found, _ := root.Choose(word); !found {
					t.Fatalf("%q %s can't be called", path, word)
				}
			}
			shorts := map[string]string{"f": "file", "r": "revision", "c": "kubeconfig", "n": "namespace", "i": "istio-namespace", "o": "output"}
			switch {
			case s.Not != "":
				shorts = nil
			case s.Query == run.LogName:
				shorts["r"] = "reset"
			case s.Query == run.StatusName:
				shorts["v"] = "verbosity"
			}
			for short, name := range shorts {
				if flag := root.chosen.Flags().ShorthandLookup(short); flag == nil || flag.Name != name {
					t.Errorf("%q: -%s is %v", s.Words, short, flag)
				}
			}
		}
	}
	for _, s := range istioctl.Spellings() {
		each(nil, s)
	}
}

// TestNamedOrNot checks which words of a command line are the name of a query.
func TestNamedOrNot(t *testing.T) {
	for _, c := range []struct {
		args  []string
		named string
		words []string
	}{
		{[]string{"clusters", "a", "--port", "80", "b"}, "clusters", []string{"a", "b"}},
		{[]string{"-n", "status", "c", "a"}, "clusters", []string{"a"}},
		{[]string{"proxy-config", "c", "a", "-f", "dump"}, "clusters", []string{"a"}},
		{[]string{"pc", "-n", "b", "ep", "--cluster", "x", "a"}, "endpoints", []string{"a"}},
		{[]string{"ps", "-r", "canary"}, "proxy-status", nil},
		{[]string{"zc", "w", "-c", "config"}, "workloads", nil},
		{[]string{"x", "des", "svc", "a"}, "service", []string{"a"}},
		{[]string{"pc", "nothing"}, "proxy-config", []string{"nothing"}},
		{[]string{".x", "pc", "c"}, "", []string{".x", "pc", "c"}},
		{[]string{"--", "clusters"}, "", []string{"clusters"}},
		{[]string{".x", "clusters"}, "", []string{".x", "clusters"}},
		{[]string{"clusters", "--null-input"}, "", []string{"clusters"}},
		{[]string{"--input", "f", "clusters", "-c"}, "", []string{"clusters"}},
		{[]string{"clusters", "-f", "q.jq"}, "", []string{"clusters"}},
		{[]string{"-Q", ".x", "clusters", "--", "-a"}, "", []string{"clusters", "-a"}},
	} {
		root := someRoot()
		argv, err := options.Split(c.args, root)
		if err != nil {
			t.Fatal(err)
		}
		if argv.Given && root.query(root.Command, argv.First()) != nil {
			argv.Outspoken()
		}
		named, words := "", []string(nil)
		for _, cmd := range everyCommand(root.Command) {
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				if cmd != root.Command {
					named = cmd.Name()
				}
				words = args
				return nil
			}
		}
		root.SetArgs(argv.Words)
		if err := root.ExecuteContext(context.Background()); err != nil || named != c.named || !slices.Equal(words, c.words) {
			t.Errorf("%s: %q %q, %v", strings.Join(c.args, " "), named, words, err)
		}
	}
}

// TestExamples runs every example of every query over the demo mesh. Each must
// succeed, with two exceptions. The exit code is 6 if a fact is not in the snapshot
// or a verdict is unknown. It is 1 if --fail-on-match is set and there is a result.
func TestExamples(t *testing.T) {
	quoted := regexp.MustCompile(`"[^"]*"|\S+`)
	for _, q := range shipped.All() {
		for _, example := range q.Examples {
			words := []string{"kubectl-meshq"}
			for _, word := range quoted.FindAllString(example, -1) {
				words = append(words, strings.Trim(word, `"`))
			}
			if words[1] != q.Name {
				t.Errorf("%s: %s is an example of something else", q.Name, example)
			}
			var out, errs bytes.Buffer
			w := &process.World{Args: append(words, "--snapshot", "demo"), In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now}
			code := Main(w)
			told := strings.Contains(errs.String(), "not in the snapshot") || strings.Contains(errs.String(), "unknown: ")
			matched := slices.Contains(words, "--fail-on-match")
			if code != process.ExitOK && !(told && code == process.ExitPartial) && !(matched && code == process.ExitFound) || errs.Len() > 0 && !told {
				t.Errorf("%s: exit code %d: %s", example, code, errs.String())
			}
		}
	}
}
