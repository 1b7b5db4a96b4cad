package saved

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// LibraryEnv is the variable that lists folders of modules, as PATH lists
// those of programs.
const LibraryEnv = "MESHQ_LIBRARY_PATH"

// A moduleFolder is a folder that import and include read. It is opened as a
// root: no name and no link leads out of it.
type moduleFolder struct {
	fs.FS
	path string
}

// Name is what errors put in front of a module's name.
func (f moduleFolder) Name() string { return f.path }

// OpenModules opens the named folders, which must exist, then the folder of
// the query's file, and the library's folders.
func OpenModules(w *process.World, named []string, file string) (roots []fs.FS, closeAll func(), err error) {
	var open []*os.Root
	closeAll = func() {
		for _, o := range open {
			_ = o.Close() // read only
		}
	}
	dirs := slices.Clone(named)
	if file != "" && file != "-" {
		dirs = append(dirs, filepath.Dir(file))
	}
	for _, f := range Folders(w) {
		dirs = append(dirs, f.Path)
	}
	for i, dir := range dirs {
		root, err := openRoot(dir)
		if err != nil {
			if i < len(named) {
				closeAll()
				return nil, nil, process.Usagef("--library-path %s: %s", dir, process.Fact(err))
			}
			continue // what is only a default may be missing
		}
		open = append(open, root)
		roots = append(roots, moduleFolder{root.FS(), w.Near(dir)})
	}
	return roots, closeAll, nil
}

// openRoot opens a folder. os.OpenRoot alone would block on a named pipe.
func openRoot(dir string) (*os.Root, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("not a directory")
	}
	return os.OpenRoot(dir)
}

// Open opens a module. It must be a regular file: opening a named pipe would
// block.
func (f moduleFolder) Open(name string) (fs.File, error) {
	info, err := fs.Stat(f.FS, name)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: errors.New("no regular file")}
	}
	if err != nil {
		return nil, err
	}
	return f.FS.Open(name)
}

// A Folder holds saved queries, and modules that they include.
type Folder struct {
	Path    string
	Project bool // it is of a project, not of the user
}

// ProjectFolder is the name of the folder with a project's queries.
const ProjectFolder = ".meshq"

// Folders returns the folders of saved queries and modules in the order of
// lookup: those of the environment, those of the projects that the working
// directory is in, and the user's own. They need not exist.
func Folders(w *process.World) (all []Folder) {
	for _, dir := range filepath.SplitList(w.Env(LibraryEnv)) {
		if dir != "" {
			all = append(all, Folder{Path: dir})
		}
	}
	if filepath.IsAbs(w.Dir) {
		for dir := w.Dir; ; dir = filepath.Dir(dir) {
			path := filepath.Join(dir, ProjectFolder)
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				all = append(all, Folder{path, true})
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if dir := UserFolder(w); dir != "" {
		all = append(all, Folder{Path: dir})
	}
	return all
}

// UserFolder returns the folder of the user's own queries, by the XDG rules;
// "" without a home directory.
func UserFolder(w *process.World) string {
	if dir := w.Env("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "meshq", "library")
	}
	if home := w.Env("HOME"); home != "" {
		return filepath.Join(home, ".config", "meshq", "library")
	}
	if dir := w.Env("APPDATA"); dir != "" {
		return filepath.Join(dir, "meshq", "library")
	}
	return ""
}
