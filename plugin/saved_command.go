package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/meshq/kubectl-meshq/plugin/help"
	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/plugin/saved"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/spf13/cobra"
)

// savedGroup is the id of the group in the help that contains the saved queries.
const savedGroup = "saved"

// adopt lets the root command find saved queries. The command of a saved query is
// created only if the command line names that query, so that the files of the
// others are not read.
func (r *rootCommand) adopt(w *process.World, f *options.Flags) {
	r.find = func(name string) (saved.Query, bool, error) { return saved.Find(w, name) }
	r.save = func(q saved.Query) *cobra.Command {
		args := options.Arguments{}
		shown := q.Query
		shown.Aliases = nil
		if shown.Summary == "" {
			shown.Summary = "saved in " + w.Near(q.Path)
		}
		for _, alias := range q.Aliases {
			if r.taken(alias) == "" {
				shown.Aliases = append(shown.Aliases, alias)
			}
		}
		cmd := queryCommand(w, f, r, shown, args)
		cmd.GroupID = savedGroup
		cmd.RunE = func(cmd *cobra.Command, words []string) error {
			if f.Version {
				return printVersion(w)
			}
			return runNamed(cmd, w, f, r, asks(w, q, args, words))
		}
		if !r.ContainsGroup(savedGroup) {
			r.AddGroup(&cobra.Group{ID: savedGroup, Title: "Saved queries:"})
		}
		r.AddCommand(cmd)
		r.savedOf[cmd] = q
		return cmd
	}
}

// savedCommand creates the command of a saved query. It returns nil if no query has
// that name. If the query's file can't be read, running the command returns the
// error.
func (r *rootCommand) savedCommand(name string) *cobra.Command {
	if r.taken(name) != "" {
		return nil
	}
	q, found, err := r.find(name)
	if !found {
		return nil
	}
	if err != nil {
		q.Name = name
		cmd := r.save(q)
		cmd.RunE = func(*cobra.Command, []string) error { return err }
		cmd.DisableFlagParsing = true
		r.bind[cmd] = func() {}
		return cmd
	}
	return r.save(q)
}

// adoptAll creates the commands of all saved queries, which help and completion
// list.
func (r *rootCommand) adoptAll(w *process.World) {
	all, _ := saved.All(w) // the command list reports errors in files
	for _, q := range all {
		if r.named(q.Name) == nil {
			r.save(q)
		}
	}
}

// savedLong is the help text that explains where saved queries are stored.
const savedLong = `Saved queries are .jq files in your own folder (meshq/library in your configuration folder, by default ~/.config), and in
the .meshq folders of the working directory and of the folders above it, which a team can commit. If several files have
one name, the nearest folder is used; if a project's query hides one of your own, a note says so when it is run. A link that
leads out of its folder is not read. A file's first comment describes the query, its arguments, which become flags, and how
it is printed; "show clusters" prints such a file. Queries can include each other's definitions: include "shop"; reads
shop.jq from these folders.`

// listCommand returns the command "list", which lists named queries.
func listCommand(w *process.World, root *rootCommand) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the queries that have a name",
		Long:  "List the queries that have a name: those saved, and those that come with the plugin.\n\n" + savedLong,
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return unlessLeft(list(w, root, format)) },
	}
	cmd.Flags().StringVarP(&format, "output", "o", "", "how to print: json, name")
	return cmd
}

func list(w *process.World, root *rootCommand, format string) error {
	all, wrong := saved.All(w)
	for _, err := range wrong {
		w.Say("note: %s", err)
	}
	for i, q := range all {
		if own := saved.Hidden(w, q); own != "" {
			w.Say("note: %s hides your own %s", w.Near(q.Path), w.Near(own))
		}
		if what := root.taken(q.Name); what != "" {
			w.Say("note: %s: %s; run it with -f", w.Near(q.Path), what)
			all[i].Name = ""
		}
	}
	switch format {
	case "":
		return listTable(w, root, all)
	case "json":
		return listJSON(w, root, all)
	case "name":
		return listNames(w, root, all)
	}
	return process.Usagef("-o %s: list prints json and name", format)
}

func listTable(w *process.World, root *rootCommand, all []saved.Query) error {
	tab := tabwriter.NewWriter(w.Out, 0, 8, 3, ' ', 0)
	rows := 0
	for _, q := range all {
		if q.Name == "" {
			continue
		}
		if rows++; rows == 1 {
			fmt.Fprintln(tab, "SAVED\tDESCRIPTION\tFILE")
		}
		what := strings.TrimSuffix(q.Summary, ".")
		if what == "" {
			what = "-"
		}
		fmt.Fprintf(tab, "%s\t%s\t%s\n", strings.Join(append([]string{q.Name}, q.Aliases...), ", "), process.OneLine(what), process.OneLine(w.Near(q.Path)))
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if rows > 0 {
		fmt.Fprintln(w.Out)
	}
	width := 0
	if w.OutTerminal && w.OutWidth != nil {
		width = w.OutWidth()
	}
	return help.PrintQueries(w.Out, root.shipped, width)
}

func listNames(w *process.World, root *rootCommand, all []saved.Query) error {
	var names []string
	for _, q := range all {
		if q.Name != "" {
			names = append(names, q.Name)
		}
	}
	for _, q := range root.shipped {
		names = append(names, q.Name)
	}
	_, err := io.WriteString(w.Out, strings.Join(names, "\n")+"\n")
	return err
}

func listJSON(w *process.World, root *rootCommand, all []saved.Query) error {
	items := []any{}
	for _, q := range all {
		if q.Name != "" {
			items = append(items, described(q, q.Path))
		}
	}
	for _, q := range root.shipped {
		items = append(items, described(saved.Query{Query: q}, nil))
	}
	var plain, indented bytes.Buffer
	run.WriteJSON(&plain, items)
	if err := json.Indent(&indented, plain.Bytes(), "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w.Out, indented.String())
	return err
}

// described returns the header of a query as an object for the command list.
func described(q saved.Query, file any) *object.Object {
	args := []any{}
	for _, a := range q.Args {
		arg := object.Of("name", a.Name, "type", string(a.Type), "doc", a.Doc)
		if a.Given {
			arg.Set("default", a.Default)
		}
		args = append(args, arg)
	}
	aliases := []any{}
	for _, a := range q.Aliases {
		aliases = append(aliases, a)
	}
	return object.Of("name", q.Name, "summary", q.Summary, "aliases", aliases, "arguments", args, "file", file)
}

// showCommand returns the command "show NAME", which prints the file of a query.
func showCommand(w *process.World, root *rootCommand) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Print the file of a query that has a name",
		Args:  one("show: the name of one query"),
		RunE: func(_ *cobra.Command, words []string) error {
			q, ok := namedQuery(words[0])
			if !ok {
				s, found, err := saved.Find(w, words[0])
				switch {
				case found && s.Text == "" && err != nil:
					return err
				case !found:
					return process.Usagef("no query named %s; list names them", words[0])
				}
				q = s.Query
			}
			_, err := io.WriteString(w.Out, q.Text)
			return unlessLeft(err)
		},
	}
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return append(savedNames(w, begun), help.QueryNames(begun)...), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// unlessLeft returns err unless it means that the reader has closed the pipe. In
// that case it returns nil.
func unlessLeft(err error) error {
	if process.ReaderLeft(err) {
		return nil
	}
	return err
}

// savedNames returns the names of the saved queries that begin with a prefix. Each
// name is followed by its summary.
func savedNames(w *process.World, begun string) (out []string) {
	all, _ := saved.All(w)
	for _, q := range all {
		if strings.HasPrefix(q.Name, begun) {
			out = append(out, q.Name+"\t"+process.OneLine(q.Summary))
		}
	}
	return out
}

// one returns a check that the command line has exactly one word.
func one(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, words []string) error {
		if len(words) != 1 {
			return process.Usagef("%s", what)
		}
		return nil
	}
}

// removeCommand returns the command "remove NAME", which deletes the file of a
// saved query.
func removeCommand(w *process.World, root *rootCommand) *cobra.Command {
	var project bool
	cmd := &cobra.Command{
		Use:     "remove NAME",
		Aliases: []string{"rm", "delete"},
		Short:   "Remove a saved query",
		Long:    "Remove a query of the user's own folder; with --project, of the nearest project folder that has it.",
		Args:    one("remove: the name of one saved query"),
		RunE:    func(_ *cobra.Command, words []string) error { return remove(w, words[0], project) },
	}
	cmd.Flags().BoolVar(&project, "project", false, "one of a project folder, .meshq")
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return savedNames(w, begun), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

func remove(w *process.World, name string, project bool) error {
	if !saved.Name.MatchString(name) {
		return process.Usagef("no saved query named %s; list names them", name)
	}
	own := saved.UserFolder(w)
	elsewhere := ""
	for _, f := range saved.Folders(w) {
		path := filepath.Join(f.Path, name+saved.Suffix)
		if _, err := os.Lstat(path); err != nil {
			continue
		}
		if project && !f.Project || !project && f.Path != own {
			elsewhere = path
			continue
		}
		if err := os.Remove(path); err != nil {
			return process.Usagef("%s: %s", w.Near(path), process.Fact(err))
		}
		w.Say("removed %s", w.Near(path))
		return nil
	}
	_, shipped := namedQuery(name)
	switch {
	case elsewhere != "" && project:
		return process.Usagef("%s: it is in no project folder; without --project it is looked for in the user's", w.Near(elsewhere))
	case elsewhere != "":
		return process.Usagef("%s: it is not in the user's own folder; --project removes one of a project", w.Near(elsewhere))
	case shipped:
		return process.Usagef("%s comes with the plugin", name)
	}
	return process.Usagef("no saved query named %s; list names them", name)
}
