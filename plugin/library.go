package plugin

import (
	"io/fs"
	"os"
	"path/filepath"
)

// libraryEnv is a list of folders of modules, as PATH is one of programs.
const libraryEnv = "MESHQ_LIBRARY_PATH"

// modules opens the library folders: those of --library-path, of the
// environment, and the user's own. A folder is opened as a root: no name and
// no link leads out of it.
func (r *run) modules() (roots []fs.FS, closeAll func(), err error) {
	var open []*os.Root
	closeAll = func() {
		for _, o := range open {
			_ = o.Close() // read only
		}
	}
	named := len(r.libraryPath)
	dirs := append(append([]string{}, r.libraryPath...), filepath.SplitList(r.World.env(libraryEnv))...)
	for i, dir := range append(dirs, r.userLibrary()...) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			if i < named {
				closeAll()
				return nil, nil, usage("--library-path %s: %s", dir, fact(err))
			}
			continue // what is only a default may be missing
		}
		open = append(open, root)
		roots = append(roots, root.FS())
	}
	return roots, closeAll, nil
}

// userLibrary is the folder of the user's own modules, by the XDG rules.
func (r *run) userLibrary() []string {
	if dir := r.World.env("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return []string{filepath.Join(dir, "meshq", "library")}
	}
	if home := r.World.env("HOME"); home != "" {
		return []string{filepath.Join(home, ".config", "meshq", "library")}
	}
	if dir := r.World.env("APPDATA"); dir != "" {
		return []string{filepath.Join(dir, "meshq", "library")}
	}
	return nil
}
