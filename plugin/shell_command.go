package plugin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/repl"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/plugin/saved"
	"github.com/meshq/kubectl-meshq/plugin/shell"
	"github.com/meshq/kubectl-meshq/query/complete"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/spf13/cobra"
)

// shellName is the name of the command shell.
const shellName = "shell"

const shellLong = `Answer query after query over one mesh. The mesh is opened once, and sections that one query read are not requested again by the
next: :reload reads the mesh anew.

A line is a query, or a command of the plugin with its flags, as on the command line: clusters reviews-v1 --port 9080, check,
trace productpage-v1 http://reviews:9080/. A query may have several lines: it goes on until its brackets are closed.

TAB completes, and the first candidates are shown below the line. Arrow keys walk through the history, Ctrl-R searches it.
Ctrl-C clears the line, or ends the query that runs. Ctrl-D ends the shell.

  $_1, $_2, …       the result of the first query, the second, …: the value, or an array of several
  $_                the result of the last query
  :explain [QUERY]  run a query, or the last one again, and show what was requested
  :save NAME        save the last query under a name
  :set FLAGS        flags for all lines that follow: :set -n shop -o json
  :reload           forget what was read
  :help, :quit`

// noMesh are the commands that read no mesh, and therefore take none of its flags.
var noMesh = []string{"help", "list", "show", "save", "remove", "version", "completion"}

// shellCommand returns the command "shell".
func shellCommand(w *process.World, f *options.Flags) *cobra.Command {
	name := process.CalledAs(w.Args[0])
	cmd := &cobra.Command{
		Use:     shellName,
		Short:   "Answer query after query over one mesh",
		Long:    shellLong,
		Example: process.Indent([]string{name + " shell --snapshot demo", name + " shell -n shop"}),
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := &interactive{World: w, session: &run.Session{}, shell: cmd, flags: flagWords(w.Args[1:])}
			err := s.loop(cmd.Context())
			return errors.Join(err, s.session.Close())
		},
	}
	f.BindMesh(cmd.Flags())
	return cmd
}

// flagWords returns the words of a command line without the first one that is the
// name of the shell.
func flagWords(words []string) []string {
	out := slices.Clone(words)
	if i := slices.Index(out, shellName); i >= 0 {
		out = slices.Delete(out, i, i+1)
	}
	return out
}

// An interactive is the state of the command shell.
type interactive struct {
	*process.World
	session *run.Session
	shell   *cobra.Command
	flags   []string // the flags of the shell, which every line has
	set     []string // the flags of :set
	last    string   // the last query
	queries int      // how many queries were run
	code    int      // the exit code of the last line
}

func (s *interactive) loop(ctx context.Context) error {
	if s.InTerminal && s.OutTerminal {
		fmt.Fprintf(s.Err, "%s: a query, a command, or :help; TAB completes, Ctrl-D ends.\n", process.CalledAs(s.Args[0])+" "+shellName)
	}
	err := repl.Loop(s.session.Within(ctx), repl.Options{
		World: s.World, Run: s.run, Complete: s.complete, Hint: s.hint, Incomplete: s.incomplete,
		Number: func() int { return s.queries + 1 }, History: historyFile(s.World),
	})
	if err == nil && s.code != process.ExitOK && !s.InTerminal {
		return process.Exit(s.code, nil) // a script of lines ends with the code of its last line
	}
	return err
}

// historyFile returns the file of the history, which the XDG rules determine. It
// returns "" if there is no home directory.
func historyFile(w *process.World) string {
	if dir := w.Env("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "meshq", "history")
	}
	if home := w.Env("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "meshq", "history")
	}
	return ""
}

// run runs a line.
func (s *interactive) run(ctx context.Context, line string) {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, ":") {
		s.code = s.colon(ctx, line)
		return
	}
	words := s.words(line)
	if words == nil {
		s.last = line
		words = []string{"-Q", line}
	}
	s.code = s.execute(ctx, words)
}

// words returns the words of a line that is a command, or nil for a query.
func (s *interactive) words(line string) []string {
	first, _, _ := strings.Cut(line, " ")
	if !saved.Name.MatchString(first) || first == shellName {
		return nil
	}
	root := newRoot(s.World, options.NewFlags())
	if found, _ := root.Choose(first); !found && root.named(first) == nil && first != "help" {
		return nil
	}
	var words []string
	for _, w := range shell.ShellWords(line, s.Env) {
		words = append(words, w.Text)
	}
	return words
}

// execute runs a command line in the session. Its results become a variable.
func (s *interactive) execute(ctx context.Context, words []string) int {
	if !slices.Contains(noMesh, words[0]) {
		s.queries = s.session.Begin()
		defer s.session.End()
		words = slices.Concat(words, s.flags, s.set)
	}
	w := *s.World
	w.Args = append([]string{s.Args[0]}, words...)
	w.In, w.InTerminal = strings.NewReader(""), false // standard input belongs to the shell
	f := options.NewFlags()
	root := newRoot(&w, f)
	cmd, err := root.parse(ctx, &w, f, w.Args[1:])
	if err == nil {
		root.argv = cmd
		root.SetArgs(cmd.Words)
		err = root.ExecuteContext(ctx)
	}
	return reportError(&w, err)
}

// colon runs a command of the shell itself.
func (s *interactive) colon(ctx context.Context, line string) int {
	name, rest, _ := strings.Cut(line[1:], " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "help", "h", "?":
		_ = s.shell.Help() // a write error is ignored, as in all printing of help
	case "reload":
		return reportError(s.World, s.session.Reload())
	case "set":
		s.set = strings.Fields(rest)
	case "explain":
		if rest == "" {
			rest = s.last
		}
		if rest == "" {
			return reportError(s.World, process.Usagef(":explain: no query was run yet"))
		}
		s.last = rest
		return s.execute(ctx, []string{"-Q", rest, "--explain"})
	case "save":
		if rest == "" || s.last == "" {
			return reportError(s.World, process.Usagef(":save NAME saves the last query"))
		}
		return s.execute(ctx, []string{"save", rest, s.last})
	default:
		text := ""
		if near := syntax.Nearest([]string{"help", "reload", "set", "explain", "save", "quit"}, name); near != "" {
			text = "; did you mean :" + near + "?"
		}
		return reportError(s.World, process.Usagef(":%s: no such command%s", name, text))
	}
	return process.ExitOK
}

// incomplete reports whether a query continues on the next line: whether an error
// is at its end.
func (s *interactive) incomplete(line string) bool {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || strings.HasPrefix(trimmed, ":") || s.words(trimmed) != nil {
		return false
	}
	_, err := syntax.Parse("", line)
	var at *syntax.Error
	return errors.As(err, &at) && at.Start >= len(strings.TrimRight(line, " \t\n"))
}

// complete returns the candidates for the end of a line, from the engine that also
// answers TAB on the command line.
func (s *interactive) complete(ctx context.Context, line string) (from int, all []repl.Candidate) {
	if strings.HasPrefix(line, ":") && !strings.Contains(line, " ") {
		return 0, candidatesOf(begunWith(line, []string{":explain ", ":help", ":quit", ":reload", ":save ", ":set "}))
	}
	first, _, more := strings.Cut(line, " ")
	words := s.words(line)
	if words == nil && !more && saved.Name.MatchString(first) {
		root := newRoot(s.World, options.NewFlags())
		root.adoptAll(s.World)
		var names []string
		for _, cmd := range root.Commands() {
			if cmd.IsAvailableCommand() && cmd.Name() != shellName {
				names = append(names, cmd.Name())
			}
		}
		return 0, candidatesOf(begunWith(line, names))
	}
	if words == nil {
		r := complete.Query(line, s.options(ctx, true))
		for _, c := range r.Candidates {
			all = append(all, repl.Candidate{Text: c.Text, Doc: process.OneLine(c.Doc)})
		}
		return r.From, all
	}
	return s.completeWords(ctx, line, words)
}

func candidatesOf(texts []string) (all []repl.Candidate) {
	for _, t := range texts {
		all = append(all, repl.Candidate{Text: t})
	}
	return all
}

// completeWords completes the last word of a command.
func (s *interactive) completeWords(ctx context.Context, line string, words []string) (int, []repl.Candidate) {
	last := words[len(words)-1]
	w := *s.World
	var out strings.Builder
	w.Out, w.Err, w.ErrTerminal, w.In = &out, discard{}, false, strings.NewReader("")
	before := slices.Concat(words[:1], s.flags, s.set, words[1:])
	if len(words) == 1 {
		before = append(slices.Concat(s.flags, s.set), last)
	}
	_, _ = completeLast(ctx, &w, cobra.ShellCompRequestCmd, before)
	var all []repl.Candidate
	for text := range strings.Lines(out.String()) {
		text = strings.TrimRight(text, "\n")
		if strings.HasPrefix(text, ":") {
			continue // the directive, and a description of it
		}
		value, doc, _ := strings.Cut(text, "\t")
		if strings.HasPrefix(value, last) {
			all = append(all, repl.Candidate{Text: value, Doc: doc})
		}
	}
	return len(line) - len(last), all
}

// discard is a writer of nothing.
type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// options returns what completion of a query knows. With look, it also reads values
// that the session, or a snapshot, has.
func (s *interactive) options(ctx context.Context, look bool) complete.Options {
	f := options.NewFlags()
	w := *s.World
	w.Err, w.ErrTerminal, w.In = discard{}, false, strings.NewReader("")
	root := newRoot(&w, f)
	argv, err := root.parse(ctx, &w, f, slices.Concat([]string{"-Q", "."}, s.flags, s.set))
	if err == nil {
		root.argv = argv
		root.SetContext(ctx)
		_ = root.ParseFlags(argv.Words)
	}
	o := completion{&w, f, nil, root}.queryOptions(root.Command)
	names, _ := s.session.Variables()
	o.Variables = append(o.Variables, names...)
	if !look {
		o.Look = nil
	}
	return o
}

// mostHints is how many candidates are shown below a line.
const mostHints = 8

// hint returns the first candidates for the end of a line. It reads nothing of the
// mesh.
func (s *interactive) hint(line string) string {
	if strings.HasPrefix(line, ":") || saved.Name.MatchString(strings.Fields(line + " x")[0]) {
		return ""
	}
	r := complete.Query(line, s.options(context.Background(), false))
	if len(r.Candidates) == 0 || len(r.Candidates) > 200 {
		return ""
	}
	if len(r.Candidates) == 1 {
		return process.OneLine(r.Candidates[0].Text + "  " + r.Candidates[0].Doc)
	}
	var texts []string
	for i, c := range r.Candidates {
		if i == mostHints {
			texts = append(texts, fmt.Sprintf("and %d more", len(r.Candidates)-i))
			break
		}
		texts = append(texts, c.Text)
	}
	return process.OneLine(strings.Join(texts, "  "))
}
