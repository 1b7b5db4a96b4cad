package saved

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/plugin/options"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/query/shipped"
	"github.com/meshq/kubectl-meshq/query/syntax"
)

// querySuffix is how the file of a query ends.
const Suffix = ".jq"

// A saved query is a file that somebody put into a library folder.
type Query struct {
	shipped.Query
	Path   string // of its file
	folder Folder
}

// mostQuery is the size of the largest file that is read as a query.
const MaxSize = 16 << 20

// readSaved reads a file of a library folder; an error names the file. Folders
// may be of people whom the user doesn't know: no link leads out of one, or
// what is read there would be shown by the error that it is no query.
func Read(w *process.World, f Folder, file string) (Query, error) {
	path := filepath.Join(f.Path, file)
	root, err := os.OpenRoot(f.Path)
	if err != nil {
		return Query{}, process.Usagef("%s: %s", w.Near(path), process.Fact(err))
	}
	defer root.Close() // read only
	info, err := root.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		return Query{}, process.Usagef("%s: no regular file", w.Near(path))
	}
	if err == nil && info.Size() > MaxSize {
		return Query{}, process.Usagef("%s: more than %d MB, which is no query", w.Near(path), MaxSize>>20)
	}
	text, err := root.ReadFile(file)
	if err != nil {
		if link, e := root.Lstat(file); e == nil && link.Mode()&fs.ModeSymlink != 0 {
			return Query{}, process.Usagef("%s: a link that leads out of its folder, or nowhere: it is not read", w.Near(path))
		}
		return Query{}, process.Usagef("%s: %s", w.Near(path), process.Fact(err))
	}
	q, err := ReadHeader(w, path, string(text))
	return Query{Query: q, Path: path, folder: f}, err
}

// header reads the header of a query's text; an error names the file and the line.
func ReadHeader(w *process.World, path, text string) (shipped.Query, error) {
	name := "query"
	if path != "" && path != "-" {
		name = strings.TrimSuffix(filepath.Base(path), Suffix)
	}
	q, err := shipped.Read(name, text)
	if err == nil {
		return q, acceptable(q, process.FileName(w.Near(path)))
	}
	q.Text = text
	return q, process.Usagef("%s%s", process.FileName(w.Near(path)), process.OneLine(strings.TrimPrefix(err.Error(), name)))
}

// acceptable holds that no argument of a query takes the name of a flag that
// every query has, but for those that are lent, and that it is printed in a
// format that there is.
func acceptable(q shipped.Query, file string) error {
	for _, arg := range q.Args {
		switch flag := reservedFlag(arg); {
		case flag == "" || slices.Contains(options.Lendable, arg.Name) && flag == "--"+arg.Name:
		default:
			return process.Usagef("%s: argument %s: every query has a flag %s", file, arg.Name, flag)
		}
	}
	if q.Output != "" && !known(q.Output) {
		return process.Usagef("%s: output: %s is no format, or one that reads a file", file, q.Output)
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
func Find(w *process.World, name string) (q Query, found bool, err error) {
	if !Name.MatchString(name) {
		return Query{}, false, nil
	}
	for _, f := range Folders(w) {
		path := filepath.Join(f.Path, name+Suffix)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		q, err := Read(w, f, name+Suffix)
		return q, true, err
	}
	all, _ := All(w) // what is wrong with another file is that file's affair
	for _, q := range all {
		if slices.Contains(q.Aliases, name) {
			return q, true, nil
		}
	}
	return Query{}, false, nil
}

// savedQueries are all of them, by name. Of one name it is the nearest; a file
// of nothing but definitions is a module, and no query. What is wrong with
// files is told beside them.
func All(w *process.World) (all []Query, wrong []error) {
	seen := map[string]bool{}
	for _, f := range Folders(w) {
		paths, err := filepath.Glob(filepath.Join(escapedGlob(f.Path), "*"+Suffix))
		if err != nil {
			continue
		}
		for _, path := range paths {
			name := strings.TrimSuffix(filepath.Base(path), Suffix)
			if seen[name] || !Name.MatchString(name) {
				continue
			}
			seen[name] = true
			q, err := Read(w, f, filepath.Base(path))
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			if !IsModule(q.Text) {
				all = append(all, q)
			}
		}
	}
	slices.SortFunc(all, func(a, b Query) int { return strings.Compare(a.Name, b.Name) })
	return all, wrong
}

// escapedGlob is a path in which no character stands for others.
func escapedGlob(path string) string {
	if filepath.Separator == '\\' { // which escapes nothing there
		return path
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// IsModule tells whether a text is nothing but definitions. One with a mistake
// in it is meant to be a query.
func IsModule(text string) bool {
	p, err := syntax.Parse("", text)
	return err == nil && p.Query.Term == nil && p.Query.Op == 0
}

// Hidden gives the path of the user's own query that has the same name as q, a
// query of a project's folder: q is run in its place. It is empty where q is no
// project's, or the user has none of that name.
func Hidden(w *process.World, q Query) string {
	own := UserFolder(w)
	if !q.folder.Project || own == "" || q.folder.Path == own {
		return ""
	}
	for _, name := range append([]string{q.Name}, q.Aliases...) {
		path := filepath.Join(own, name+Suffix)
		if _, err := os.Lstat(path); err == nil {
			return path
		}
	}
	return ""
}

// reservedFlag gives the flag that every query has and that an argument would
// take the name of; empty: there is none.
func reservedFlag(arg shipped.Argument) string {
	if options.Reserved(shipped.Argument{Name: arg.Name}) {
		return "--" + arg.Name
	}
	if options.Reserved(arg) {
		return "-" + arg.Short
	}
	return ""
}

// savedName is what a saved or shipped query can be called. Any other first
// word is a query; over plain JSON every one is.
var Name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
