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

// A tree is a set of named files, read only, wherever they are kept. Names
// are relative, with slashes; "." is the tree itself. Methods may be called
// by several goroutines at once.
type tree interface {
	// dir gives what a folder holds, sorted; of one that is not there,
	// nothing.
	dir(name string) (listing, error)

	// open gives a file's bytes, which stay readable until the tree is
	// closed. One that is not there is a [missing] error.
	open(ctx context.Context, name string) (decode.Bytes, error)

	// newest gives the time of the newest file, the zero time when none is known.
	newest() time.Time
}

// A listing is what a folder holds, by name.
type listing struct{ folders, files []string }

func (l listing) hasFolder(name string) bool {
	_, ok := slices.BinarySearch(l.folders, name)
	return ok
}

func (l listing) hasFile(name string) bool {
	_, ok := slices.BinarySearch(l.files, name)
	return ok
}

// A catalog is the folders of an archive, by name.
type catalog map[string]*listing

// maxDepth is how many parts a name may have to be in a catalog; the layouts
// need four, below a few folders on top.
const maxDepth = 8

// newCatalog makes the folders from the names of all files; nil when there are
// more than most.
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
	for _, l := range c { // a/b-c comes before a/b/c: folders are found out of order
		slices.Sort(l.folders)
	}
	return c
}

// folder gives the listing of a folder, which it makes known to its parents.
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

// closers are closed together, the last one first.
type closers []func() error

func (c closers) Close() error {
	var errs []error
	for _, f := range slices.Backward(c) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
