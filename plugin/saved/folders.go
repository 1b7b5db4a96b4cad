package saved

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// LibraryEnv is the environment variable that lists library folders in the same
// format as PATH.
const LibraryEnv = "MESHQ_LIBRARY_PATH"

// A moduleFolder is a folder from which the statements import and include read
// modules. It is opened as an os.Root, so that neither a name nor a link can
// lead out of the folder.
type moduleFolder struct {
	fs.FS
	path string
}

// Name returns the path of the folder. Errors put it before the name of a
// module.
func (f moduleFolder) Name() string { return f.path }

// OpenModules opens the folders in named, the folder of the query's file, and the
// library folders, in this order. The folders in named must exist.
func OpenModules(w *process.World, named []string, file string) (roots []fs.FS, closeAll func(), err error) {
	var open []*os.Root
	closeAll = func() {
		for _, o := range open {
			_ = o.Close() // the folders are only read, so an error of closing doesn't matter
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
			continue // the folders that the user didn't name need not exist
		}
		open = append(open, root)
		roots = append(roots, moduleFolder{root.FS(), w.Near(dir)})
	}
	return roots, closeAll, nil
}

// openRoot opens a folder. It checks the file type first, because os.OpenRoot would
// block on a named pipe.
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

// Open opens a module. The module must be a regular file, because opening a named
// pipe would block.
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

// A Folder is a folder with saved queries and the modules that they include.
type Folder struct {
	Path    string
	Project bool // true if the folder belongs to a project, false if it belongs to the user
}

// ProjectFolder is the name of the folder that contains a project's queries.
const ProjectFolder = ".meshq"

// Folders returns the folders of saved queries and modules in the order in which
// they are searched: those in MESHQ_LIBRARY_PATH, then the .meshq folders of the
// working directory and its parents, then the user's own folder. Some of them may
// not exist.
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

// UserFolder returns the folder of the user's own queries, which the XDG rules
// determine. It returns "" if there is no home directory.
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
