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

// Suffix is the file name suffix of queries.
const Suffix = ".jq"

// A Query is a query from a file in a library folder.
type Query struct {
	shipped.Query
	Path   string // the path of the query's file
	folder Folder
}

// MaxSize is the maximum size of a query's file, in bytes.
const MaxSize = 16 << 20

// Read reads a query from a file in a library folder. Errors contain the path of
// the file. Read doesn't follow a link to a file outside the folder: the folder may
// belong to another user, who could link to a secret file, and a syntax error would
// print a part of that file.
func Read(w *process.World, f Folder, file string) (Query, error) {
	path := filepath.Join(f.Path, file)
	root, err := os.OpenRoot(f.Path)
	if err != nil {
		return Query{}, process.Usagef("%s: %s", w.Near(path), process.Fact(err))
	}
	defer root.Close() // the folder is only read, so an error of closing doesn't matter
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

// ReadHeader parses the header of a query. Errors contain the path and the line
// number.
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

// acceptable returns an error if the header of a query can't be used. That is so if
// an argument has the name of a flag that every query has (other than those in
// options.Lendable), or if the output format doesn't exist.
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

// known reports whether a query's header may select an output format. A header may
// not select a format that reads a file; only the command line may.
func known(format string) bool {
	name, _, _ := strings.Cut(format, "=")
	return !strings.HasSuffix(name, "file") && slices.ContainsFunc(printers.Formats(), func(f printers.Format) bool { return f.Name == name })
}

// Find returns the query with a name or an alias. A file with that name has
// precedence over an alias. If several folders contain such a file, Find reads the
// first in the order of Folders. Errors in other files are ignored.
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
	all, _ := All(w) // errors in other files must not keep this query from running
	for _, q := range all {
		if slices.Contains(q.Aliases, name) {
			return q, true, nil
		}
	}
	return Query{}, false, nil
}

// All returns all saved queries, sorted by name. If several folders contain a query
// of the same name, All returns the first in the order of Folders. It omits
// modules, which are files that contain only definitions. wrong contains the errors
// of the files that can't be read.
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

// escapedGlob escapes the characters of a path that are special in a glob pattern.
func escapedGlob(path string) string {
	if filepath.Separator == '\\' { // on Windows, the backslash separates folders, so nothing can be escaped
		return path
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// IsModule reports whether a text contains only definitions. A text that can't be
// parsed is not a module.
func IsModule(text string) bool {
	p, err := syntax.Parse("", text)
	return err == nil && p.Query.Term == nil && p.Query.Op == 0
}

// Hidden returns the path of a query of the user that is not used because the
// project's query q has the same name. It returns "" if there is none.
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

// reservedFlag returns the common flag of all queries that has the same name or
// short name as an argument. It returns "" if there is none.
func reservedFlag(arg shipped.Argument) string {
	if options.Reserved(shipped.Argument{Name: arg.Name}) {
		return "--" + arg.Name
	}
	if options.Reserved(arg) {
		return "-" + arg.Short
	}
	return ""
}

// Name matches the names of saved and shipped queries. If the first word of a
// command line doesn't match, that word is the text of a query.
var Name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)
