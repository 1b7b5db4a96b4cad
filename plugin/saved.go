package plugin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/query/syntax"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// querySuffix is how the file of a query ends.
const querySuffix = ".jq"

// A saved query is a file that somebody put into a library folder.
type saved struct {
	shipped.Query
	path   string // of its file
	folder folder
}

// mostQuery is the size of the largest file that is read as a query.
const mostQuery = 16 << 20

// readSaved reads a file of a library folder; an error names the file. Folders
// may be of people whom the user doesn't know: no link leads out of one, or
// what is read there would be shown by the error that it is no query.
func (w *World) readSaved(f folder, file string) (saved, error) {
	path := filepath.Join(f.path, file)
	root, err := os.OpenRoot(f.path)
	if err != nil {
		return saved{}, usage("%s: %s", w.near(path), fact(err))
	}
	defer root.Close() // read only
	info, err := root.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		return saved{}, usage("%s: no regular file", w.near(path))
	}
	if err == nil && info.Size() > mostQuery {
		return saved{}, usage("%s: more than %d MB, which is no query", w.near(path), mostQuery>>20)
	}
	text, err := root.ReadFile(file)
	if err != nil {
		if link, e := root.Lstat(file); e == nil && link.Mode()&fs.ModeSymlink != 0 {
			return saved{}, usage("%s: a link that leads out of its folder, or nowhere: it is not read", w.near(path))
		}
		return saved{}, usage("%s: %s", w.near(path), fact(err))
	}
	q, err := w.header(path, string(text))
	return saved{Query: q, path: path, folder: f}, err
}

// header reads the header of a query's text; an error names the file and the line.
func (w *World) header(path, text string) (shipped.Query, error) {
	name := "query"
	if path != "" && path != "-" {
		name = strings.TrimSuffix(filepath.Base(path), querySuffix)
	}
	q, err := shipped.Read(name, text)
	if err == nil {
		return q, acceptable(q, fileName(w.near(path)))
	}
	q.Text = text
	return q, usage("%s%s", fileName(w.near(path)), oneLine(strings.TrimPrefix(err.Error(), name)))
}

// acceptable holds that no argument of a query takes the name of a flag that
// every query has, but for those that are lent, and that it is printed in a
// format that there is.
func acceptable(q shipped.Query, file string) error {
	for _, arg := range q.Args {
		switch flag := reservedFlag(arg); {
		case flag == "" || slices.Contains(lendable, arg.Name) && flag == "--"+arg.Name:
		default:
			return usage("%s: argument %s: every query has a flag %s", file, arg.Name, flag)
		}
	}
	if q.Output != "" && !known(q.Output) {
		return usage("%s: output: %s is no format, or one that reads a file", file, q.Output)
	}
	return nil
}

// known tells whether a format may stand in a header: those that read a file
// are for the command line only.
func known(format string) bool {
	name, _, _ := strings.Cut(format, "=")
	return !strings.HasSuffix(name, "file") && slices.ContainsFunc(printers.Formats(), func(f printers.Format) bool { return f.Name == name })
}

// savedQuery finds the query that a name stands for: the nearest file of that
// name, else one with such an alias. A file whose header can't be read is an
// error only where it is the one that was named.
func (w *World) savedQuery(name string) (q saved, found bool, err error) {
	if !savedName.MatchString(name) {
		return saved{}, false, nil
	}
	for _, f := range w.folders() {
		path := filepath.Join(f.path, name+querySuffix)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		q, err := w.readSaved(f, name+querySuffix)
		return q, true, err
	}
	all, _ := w.savedQueries() // what is wrong with another file is that file's affair
	for _, q := range all {
		if slices.Contains(q.Aliases, name) {
			return q, true, nil
		}
	}
	return saved{}, false, nil
}

// savedQueries are all of them, by name. Of one name it is the nearest; a file
// of nothing but definitions is a module, and no query. What is wrong with
// files is told beside them.
func (w *World) savedQueries() (all []saved, wrong []error) {
	seen := map[string]bool{}
	for _, f := range w.folders() {
		paths, err := filepath.Glob(filepath.Join(escapedGlob(f.path), "*"+querySuffix))
		if err != nil {
			continue
		}
		for _, path := range paths {
			name := strings.TrimSuffix(filepath.Base(path), querySuffix)
			if seen[name] || !savedName.MatchString(name) {
				continue
			}
			seen[name] = true
			q, err := w.readSaved(f, filepath.Base(path))
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			if !isModule(q.Text) {
				all = append(all, q)
			}
		}
	}
	slices.SortFunc(all, func(a, b saved) int { return strings.Compare(a.Name, b.Name) })
	return all, wrong
}

// escapedGlob is a path in which no character stands for others.
func escapedGlob(path string) string {
	if filepath.Separator == '\\' { // which escapes nothing there
		return path
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// isModule tells whether a text is nothing but definitions. One with a mistake
// in it is meant to be a query.
func isModule(text string) bool {
	p, err := syntax.Parse("", text)
	return err == nil && p.Query.Term == nil && p.Query.Op == 0
}

// asks is what a saved query asks.
func (q saved) asks(w *World, args arguments, words []string) *asked {
	a := askedBy(q.Query, args, words)
	a.file, a.path, a.status, a.ours = w.near(q.path), q.path, false, false
	if own := w.hidden(q); own != "" {
		w.say("note: %s is run: it hides your own %s", w.near(q.path), w.near(own))
	}
	return a
}

// hidden gives the path of the user's own query that has the same name as q, a
// query of a project's folder: q is run in its place. It is empty where q is no
// project's, or the user has none of that name.
func (w *World) hidden(q saved) string {
	own := w.userLibrary()
	if !q.folder.project || own == "" || q.folder.path == own {
		return ""
	}
	for _, name := range append([]string{q.Name}, q.Aliases...) {
		path := filepath.Join(own, name+querySuffix)
		if _, err := os.Lstat(path); err == nil {
			return path
		}
	}
	return ""
}

// reservedFlag gives the flag that every query has and that an argument would
// take the name of; empty: there is none.
func reservedFlag(arg shipped.Argument) string {
	if reserved(shipped.Argument{Name: arg.Name}) {
		return "--" + arg.Name
	}
	if reserved(arg) {
		return "-" + arg.Short
	}
	return ""
}

// noQuery is the error of a name that stands for nothing.
func noQuery(name string) error {
	for _, k := range sources.Kinds() {
		if k.Name == "Mesh" && slices.ContainsFunc(k.Fields, func(f mesh.Field) bool { return f.Name == name }) {
			return usage("no query named %s; did you mean '.%s'?", name, name)
		}
	}
	return usage("no query named %s; for jq write '.|%s'", name, name)
}

// noFile tells who names a file where the query is to stand how it is given.
func noFile(word string) error {
	how := ""
	switch {
	case strings.HasSuffix(word, querySuffix):
		how = "a file with a query is given with -f"
	case slices.ContainsFunc([]string{".json", ".tar", ".gz", ".tgz", ".zst"}, func(end string) bool { return strings.HasSuffix(word, end) }):
		how = "a recorded mesh is given with --snapshot"
	}
	if info, err := os.Stat(word); how == "" || err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return usage("%s is a file, not a query: %s %s", word, how, word)
}

// taken tells what a name that is to be a saved query's already stands for;
// empty: it is free.
func (r *rootCommand) taken(name string) string {
	switch {
	case !savedName.MatchString(name):
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
