package plugin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/input"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/saved"
	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/spf13/cobra"
)

// A saving contains the arguments and flags of one call of the command save.
type saving struct {
	name, text                  string
	doc, takes, output, columns string
	examples, files             []string
	project, force              bool
}

const saveLong = `Save a query under a name, which is then a command. The query must compile. Its description and arguments are written into
the file as a comment, its header. A file that already has a header is saved as it is: save NAME -f FILE.

--takes names its arguments, which become flags and are variables of the query: --takes 'ns=default, within' makes --ns
and --within, $ns and $within.

` + savedLong

// saveCommand returns the command "save NAME QUERY".
func saveCommand(w *process.World, root *rootCommand) *cobra.Command {
	name := process.CalledAs(w.Args[0])
	s := &saving{}
	cmd := &cobra.Command{
		Use:   "save NAME QUERY",
		Short: "Save a query under a name",
		Long:  saveLong,
		Example: process.Indent([]string{
			name + ` save stale-routes '.proxies[] | select(.rds=="STALE")' --doc 'proxies with old routes'`,
			name + ` save of '.proxies[] | select(.namespace==$ns) | {name, rds}' --takes ns=default -o table --columns NAME,RDS`,
			name + ` save of -f of.jq --project`,
		}),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, words []string) error {
			switch {
			case len(words) == 1 && len(s.files) == 1:
				q, err := readFile(cmd.Context(), w, s.files[0])
				if err != nil {
					return err
				}
				s.text = q.Text
			case len(words) == 2 && len(s.files) == 0:
				s.text = words[1]
			default:
				return process.Usagef("save: two words are needed, a name and a query, or a name and -f FILE")
			}
			s.name = words[0]
			return s.run(w, root)
		},
	}
	set := cmd.Flags()
	set.StringVar(&s.doc, "doc", "", "what it gives: a line, and more about it in further lines")
	set.StringVar(&s.takes, "takes", "", "its arguments, with what they are where they aren't given: ns=default,within")
	set.StringVarP(&s.output, "output", "o", "", "the -o that is meant when none is given")
	set.StringVar(&s.columns, "columns", "", "the columns of its table: NAME,RDS")
	set.StringArrayVar(&s.examples, "example", nil, "the words behind the program's name, as an example; repeat it for several")
	set.StringArrayVarP(&s.files, "filename", "f", nil, `take the query from a file ("-": standard input)`)
	set.BoolVar(&s.project, "project", false, "into the project's folder, .meshq, which is made here where there is none")
	set.BoolVar(&s.force, "force", false, "replace a query of that name")
	return cmd
}

func (s *saving) run(w *process.World, root *rootCommand) error {
	if what := root.taken(s.name); what != "" {
		return process.Usagef("%s", what)
	}
	text, err := s.file()
	if err != nil {
		return err
	}
	dir, err := s.dir(w)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, s.name+saved.Suffix)
	q, err := saved.ReadHeader(w, path, text)
	if err != nil {
		return err
	}
	if err := s.kept(q); err != nil {
		return err
	}
	if err := compiles(w, q, path); err != nil {
		return err
	}
	if err := s.write(w, path, text); err != nil {
		return err
	}
	how := process.CalledAs(w.Args[0]) + " " + s.name
	if saved.IsModule(text) {
		how = fmt.Sprintf("include %q;", s.name)
	}
	w.Say("saved %s: %s", w.Near(path), how)
	return nil
}

// file returns the content of the query's file: the header that the flags describe,
// and the query.
func (s *saving) file() (string, error) {
	header := s.header()
	text := strings.TrimRight(s.text, "\n") + "\n"
	switch {
	case strings.TrimSpace(s.text) == "":
		return "", process.Usagef("save: an empty query")
	case header == "":
		return text, nil
	case strings.HasPrefix(s.text, "#"):
		return "", process.Usagef("save: the query has a header already: write it there")
	}
	return header + "\n" + text, nil
}

func (s *saving) header() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "# "+format+"\n", args...) }
	for i, l := range strings.Split(strings.TrimSpace(s.doc), "\n") {
		switch {
		case i == 0 && l != "":
			line("%s: %s", s.name, strings.TrimSpace(l))
		case l != "":
			line("%s", strings.TrimSpace(l))
		}
	}
	if s.takes != "" {
		line("args: %s", s.takes)
	}
	if s.output != "" {
		line("output: %s", s.output)
	}
	if s.columns != "" {
		line("columns: %s", s.columns)
	}
	for _, e := range s.examples {
		line("example: %s", e)
	}
	return b.String()
}

// kept checks that the header, when it is parsed again, yields the values of the flags.
// Otherwise it returns an error: for example, a line of --doc may look like another part
// of the header. q is the query parsed from the file's new content.
func (s *saving) kept(q shipped.Query) error {
	if s.header() == "" {
		return nil
	}
	doc := strings.TrimSpace(s.doc)
	got := q.Summary
	if q.Doc != "" {
		got += "\n" + q.Doc
	}
	trimmed := func(text string) (out []string) {
		for l := range strings.SplitSeq(text, "\n") {
			if l = strings.TrimSpace(l); l != "" {
				out = append(out, l)
			}
		}
		return out
	}
	switch {
	case !slices.Equal(trimmed(doc), trimmed(got)):
		return process.Usagef("--doc: a line of it would be read as something else of the header")
	case q.Output != s.output || !slices.Equal(q.Examples, s.examples) || strings.Contains(s.takes+s.columns, "\n"):
		return process.Usagef("save: a value of a flag has more than one line")
	}
	return nil
}

// dir returns the folder in which the query is saved.
func (s *saving) dir(w *process.World) (string, error) {
	if !s.project {
		if dir := saved.UserFolder(w); dir != "" {
			return dir, nil
		}
		return "", process.Usagef("save: there is no folder of the user's: HOME is not set")
	}
	for _, f := range saved.Folders(w) {
		if f.Project {
			return f.Path, nil
		}
	}
	if w.Dir == "" {
		return "", process.Usagef("save --project: the working directory is not known")
	}
	return filepath.Join(w.Dir, saved.ProjectFolder), nil
}

// compiles returns an error if a query doesn't compile with its arguments and
// modules.
func compiles(w *process.World, q shipped.Query, path string) error {
	modules, closeModules, err := saved.OpenModules(w, nil, path)
	if err != nil {
		return err
	}
	defer closeModules()
	names := []string{"$ARGS"}
	for _, a := range q.Args {
		names = append(names, "$"+a.Variable())
	}
	if q.Words != "" {
		names = append(names, "$words")
	}
	text := q.Program()
	if saved.IsModule(text) {
		text += "\n."
	}
	if _, err := query.Compile(text, query.Options{File: w.Near(path), Variables: names, Modules: modules, Data: input.DecodeFile}); err != nil {
		return process.Exit(process.ExitCompile, err)
	}
	return nil
}

// write writes the file. On an error, no part of it is written.
func (s *saving) write(w *process.World, path, text string) error {
	failed := func(err error) error { return process.Usagef("%s: %s", w.Near(path), process.Fact(err)) }
	if _, err := os.Lstat(path); err == nil && !s.force {
		return process.Usagef("%s: there is one; --force replaces it", w.Near(path))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return failed(err)
	}
	t := &process.Target{Path: path, Force: s.force, Scratch: w.Scratch}
	var err error
	if t.File, err = w.Scratch.File(filepath.Dir(path), "."+s.name+"-*"); err != nil {
		return failed(err)
	}
	t.Out = bufio.NewWriter(t.File)
	_, err = t.Write([]byte(text))
	if err == nil {
		err = t.File.Chmod(0o644) // a project's queries must be readable for the whole team
	}
	if err == nil {
		err = t.Commit(context.Background())
	}
	if err != nil {
		return errors.Join(failed(err), t.Abandon())
	}
	return nil
}
