package transport

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// A folder is a tree that consists of the files in a directory. Files outside of
// the directory can't be read: symbolic links are followed only inside the
// directory (os.Root).
type folder struct {
	root *os.Root
	kept *keeper

	mu      sync.Mutex
	handles map[string]*handle // the open files, by their name
	uses    int64              // how often any handle was used, to find the handle that was used longest ago
}

// maxHandles is the number of files that stay open when they are not being read.
// A mesh has more files than a process may have open.
const maxHandles = 64

type handle struct {
	*os.File
	info  fs.FileInfo
	users int
	used  int64
}

// openFolder opens a directory. kept caches the content of the directory's
// files; it may be nil.
func openFolder(path string, kept *keeper) (*folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, cause(err)
	}
	return &folder{root: root, kept: kept, handles: map[string]*handle{}}, nil
}

// cause returns the error inside an *fs.PathError, which adds the operation and
// the path.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (f *folder) dir(name string) (listing, error) {
	name = filepath.FromSlash(name)
	entries, err := f.read(name)
	if err != nil {
		return listing{}, err
	}
	var l listing
	for _, e := range entries {
		if e.IsDir() || e.Type()&fs.ModeSymlink != 0 && f.mayBeFolder(filepath.Join(name, e.Name())) {
			l.folders = append(l.folders, e.Name())
		} else {
			l.files = append(l.files, e.Name())
		}
	}
	slices.Sort(l.folders)
	slices.Sort(l.files)
	return l, nil
}

// read returns the entries of a folder. It returns no entries if the name doesn't
// exist or isn't a folder.
func (f *folder) read(name string) ([]fs.DirEntry, error) {
	info, err := f.root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, cause(err)
	case !info.IsDir(): // opening a pipe would wait for its writer
		return nil, nil
	}
	d, err := f.root.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	return entries, cause(err)
}

// mayBeFolder reports whether a symbolic link leads to a folder or out of the
// tree. It returns true for a link out of the tree, so that opening the link
// fails instead of being skipped silently.
func (f *folder) mayBeFolder(name string) bool {
	info, err := f.root.Stat(name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return info.IsDir()
}

func (f *folder) open(_ context.Context, name string) (decode.Bytes, error) {
	name = filepath.FromSlash(name)
	info, err := f.root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missing{}
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular(): // a pipe isn't opened, because that would wait for the pipe's writer
		return nil, errors.New("not a regular file")
	}
	leaf := &leaf{folder: f, name: name, info: info}
	if _, err = leaf.ReadAt(nil, 0); err != nil { // check that the file is readable
		return nil, err
	}
	return f.kept.file(leaf), nil
}

// newest walks the whole directory to find the time of the newest file.
func (f *folder) newest() time.Time {
	var last time.Time
	_ = fs.WalkDir(f.root.FS(), ".", func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil // files that can't be read are ignored
		}
		if info, err := e.Info(); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
		return nil
	})
	return last
}

// Close closes the directory and all open files.
func (f *folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.root.Close()
	for _, h := range f.handles {
		err = errors.Join(err, h.Close())
	}
	f.handles = nil
	return err
}

// acquire returns the open file for a leaf. The caller must release it.
func (f *folder) acquire(l *leaf) (*handle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.handles == nil {
		return nil, os.ErrClosed
	}
	h := f.handles[l.name]
	if h == nil {
		file, err := f.root.Open(l.name)
		if err != nil {
			return nil, cause(err)
		}
		info, err := file.Stat()
		if err != nil {
			file.Close()
			return nil, cause(err)
		}
		f.spare()
		h = &handle{File: file, info: info}
		f.handles[l.name] = h
	}
	if !l.isOf(h.info) {
		return nil, errors.New("changed while it was read")
	}
	f.uses++
	h.used = f.uses
	h.users++
	return h, nil
}

func (f *folder) release(h *handle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h.users--
}

// spare closes the file that was used longest ago, if too many files are open.
func (f *folder) spare() {
	if len(f.handles) < maxHandles {
		return
	}
	oldest := ""
	for name, h := range f.handles {
		if h.users == 0 && (oldest == "" || h.used < f.handles[oldest].used) {
			oldest = name
		}
	}
	if oldest != "" {
		f.handles[oldest].Close()
		delete(f.handles, oldest)
	}
}

// A leaf provides the bytes of one file in a folder.
type leaf struct {
	folder *folder
	name   string
	info   fs.FileInfo
}

// isOf reports whether info describes the same, unchanged file. A changed file
// can't be used, because readers store offsets in the file.
func (l *leaf) isOf(info fs.FileInfo) bool {
	return os.SameFile(info, l.info) && info.Size() == l.info.Size() && info.ModTime().Equal(l.info.ModTime())
}

// Size returns the size of the file at the time when it was first opened.
func (l *leaf) Size() int64 { return l.info.Size() }

// ReadAt reads bytes of the file. It opens the file if necessary.
func (l *leaf) ReadAt(b []byte, off int64) (int, error) {
	h, err := l.folder.acquire(l)
	if err != nil {
		return 0, err
	}
	defer l.folder.release(h)
	if len(b) == 0 {
		return 0, nil
	}
	n, err := h.ReadAt(b, off)
	if err != nil && err != io.EOF {
		err = cause(err)
	}
	return n, err
}
