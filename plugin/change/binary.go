package change

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// CacheFolder returns the folder in which istiod's binaries are kept,
// ~/.kube/cache/meshq, or "" if the home folder isn't known.
func CacheFolder(w *process.World) string {
	home := w.Env("HOME")
	if runtime.GOOS == "windows" {
		home = w.Env("USERPROFILE")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".kube", "cache", "meshq")
}

// CachedBinary returns the path at which the binary of an istiod's version is kept,
// or "" if the home folder or the version isn't known.
func CachedBinary(w *process.World, version string) string {
	folder := CacheFolder(w)
	if folder == "" || version == "" || filepath.Base(version) != version {
		return ""
	}
	return filepath.Join(folder, "istiod-"+version)
}

// A Binary is an istiod that a prediction runs.
type Binary struct {
	Path string
	Skew string // what is known about a difference to the version of the mesh's istiod; empty if there is none
}

// Find returns the istiod that was given with --istiod or, without one, the one in
// the cache for the version of the mesh. The error says how to get one.
func Find(w *process.World, given, version string) (Binary, error) {
	if given != "" {
		if info, err := os.Stat(given); err != nil {
			return Binary{}, process.Usagef("--istiod %s: %s", given, process.Fact(err))
		} else if info.IsDir() {
			return Binary{}, process.Usagef("--istiod %s: a folder, not istiod's binary", given)
		}
		return Binary{Path: given}, nil
	}
	name := process.CalledAs(w.Args[0])
	if version == "" {
		return Binary{}, process.Usagef("the version of the mesh's istiod is not known: name its binary with --istiod (%s help whatif says how to get one)", name)
	}
	path := CachedBinary(w, version)
	if path != "" {
		if _, err := os.Stat(path); err == nil {
			return Binary{Path: path}, nil
		}
	}
	return Binary{}, process.Usagef("no istiod %s in the cache: get it with %s whatif fetch-istiod, or name one with --istiod", version, name)
}
