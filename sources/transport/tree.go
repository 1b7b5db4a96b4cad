package transport

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// A tree is a read-only set of named files, in a folder or an archive. Names are
// relative and use slashes; "." is the tree itself. Several goroutines may call the
// methods concurrently.
type tree interface {
	// dir returns the sorted entries of a folder. It returns no entries for a
	// folder that doesn't exist.
	dir(name string) (listing, error)

	// open returns the bytes of a file, which can be read until the tree is
	// closed. It returns a [missing] error for a file that doesn't exist.
	open(ctx context.Context, name string) (decode.Bytes, error)

	// newest returns the time of the newest file. It returns the zero time if no
	// file has a time.
	newest() time.Time
}

// A listing has the names in a folder, sorted.
type listing struct{ folders, files []string }

func (l listing) hasFolder(name string) bool {
	_, ok := slices.BinarySearch(l.folders, name)
	return ok
}

func (l listing) hasFile(name string) bool {
	_, ok := slices.BinarySearch(l.files, name)
	return ok
}

// A catalog has the folders of an archive, by name.
type catalog map[string]*listing

// maxDepth is the maximum number of parts in a file's name; deeper files are ignored.
// Snapshots and bug reports have up to four parts, and may be inside a few other
// folders.
const maxDepth = 8

// newCatalog returns the folders of the files with the given names. It returns nil
// if there are more than most folders.
func newCatalog(names []string, most int) catalog {
	slices.Sort(names)
	c := catalog{".": {}}
	for _, name := range names {
		if strings.Count(name, "/") >= maxDepth {
			continue
		}
		dir, file := c.folder(path.Dir(name)), path.Base(name)
		dir.files = append(dir.files, file)
		if len(c) > most {
			return nil
		}
	}
	for _, l := range c { // the order of full names differs from that in a folder: a/b-c/x comes before a/b/c
		slices.Sort(l.folders)
	}
	return c
}

// folder returns the listing of a folder. If the catalog doesn't contain the folder,
// it adds it to the catalog and to the listing of the parent.
func (c catalog) folder(name string) *listing {
	l := c[name]
	if l == nil {
		l = &listing{}
		c[name] = l
		parent := c.folder(path.Dir(name))
		parent.folders = append(parent.folders, path.Base(name))
	}
	return l
}

func (c catalog) dir(name string) (listing, error) {
	if l := c[name]; l != nil {
		return *l, nil
	}
	return listing{}, nil
}

// closers are functions that Close calls, the last one first.
type closers []func() error

func (c closers) Close() error {
	var errs []error
	for _, f := range slices.Backward(c) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
