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

// Suffix is the suffix of the file name of a query.
const Suffix = ".jq"

// A Query is a query that is saved in a file of a library folder.
type Query struct {
	shipped.Query
	Path   string // the path of its file
	folder Folder
}

// MaxSize is the size limit of the file of a query, in bytes.
const MaxSize = 16 << 20

// Read reads a file of a library folder. Errors contain the path of the
// file. Read doesn't follow a link to a file outside of the folder. The
// folder may belong to someone else, who could link to a secret: an error
// about a file that isn't a query would show its text.
func Read(w *process.World, f Folder, file string) (Query, error) {
	path := filepath.Join(f.Path, file)
	root, err := os.OpenRoot(f.Path)
	if err != nil {
		return Query{}, process.Usagef("%s: %s", w.Near(path), process.Fact(err))
	}
	defer root.Close() // nothing is written, so an error doesn't matter
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

// ReadHeader reads the header of a query. Errors contain the path and the
// line.
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

// acceptable checks that no argument of a query has the name of a flag that
// every query has, except those in options.Lendable. It also checks that the
// output format exists.
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

// known reports whether a header may use an output format. Formats that read
// a file are allowed on the command line only.
func known(format string) bool {
	name, _, _ := strings.Cut(format, "=")
	return !strings.HasSuffix(name, "file") && slices.ContainsFunc(printers.Formats(), func(f printers.Format) bool { return f.Name == name })
}

// Find returns the query with a name: that in the nearest file of that name,
// or else one with this alias. Errors in other files are ignored.
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
	all, _ := All(w) // an error in another file must not keep this query from running
	for _, q := range all {
		if slices.Contains(q.Aliases, name) {
			return q, true, nil
		}
	}
	return Query{}, false, nil
}

// All returns all saved queries, sorted by name. If several have the same
// name, it returns the nearest one. Modules, which are files with only
// definitions, are left out. wrong contains the errors of files that can't
// be read.
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

// escapedGlob escapes the characters of a path that are special in patterns.
func escapedGlob(path string) string {
	if filepath.Separator == '\\' { // on Windows a backslash separates folders and can't escape
		return path
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// IsModule reports whether a text contains only definitions. A text that
// can't be parsed counts as a query.
func IsModule(text string) bool {
	p, err := syntax.Parse("", text)
	return err == nil && p.Query.Term == nil && p.Query.Op == 0
}

// Hidden returns the path of the user's own query that is not used because a
// query of the project has the same name. It returns "" if there is none.
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

// reservedFlag returns the flag that an argument conflicts with because
// every query has it. It returns "" if there is none.
func reservedFlag(arg shipped.Argument) string {
	if options.Reserved(shipped.Argument{Name: arg.Name}) {
		return "--" + arg.Name
	}
	if options.Reserved(arg) {
		return "-" + arg.Short
	}
	return ""
}

// Name matches the names of saved and shipped queries. A first word on the
// command line that doesn't match is the text of a query.
var Name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
