package partition

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/process"
)

// ArchiveName is the name of the snapshot in a partition.
const ArchiveName = "mesh.tar.zst"

// A Folder is the temporary folder in which the files of a recording are written
// before they get their places. It is in the folder that holds the partitions, so
// that renaming is enough.
type Folder struct {
	dir     string // the folder that holds the partitions
	path    string // the temporary folder
	scratch *process.Scratch
	force   bool
}

// Open creates the temporary folder in dir, and dir itself if it doesn't exist.
// force says whether the folder of an hour may be replaced. The error is one of the
// command line: the folder can't be written.
func Open(s *process.Scratch, dir string, force bool) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, process.Usagef("--to %s: %s", dir, process.Fact(err))
	}
	path, err := s.FolderIn(dir, ".recording-*")
	if err != nil {
		return nil, process.Usagef("--to %s: %s", dir, process.Fact(err))
	}
	return &Folder{dir: dir, path: path, scratch: s, force: force}, nil
}

// Archive returns the path at which the snapshot has to be written before
// [Folder.Write].
func (f *Folder) Archive() string { return filepath.Join(f.path, ArchiveName) }

// Abandon deletes the temporary folder. It does nothing for what Commit has moved.
func (f *Folder) Abandon() error {
	err := os.RemoveAll(f.path)
	f.scratch.Forget(f.path)
	return err
}

// Commit moves the snapshot and the files of rows to their places. rows are the
// files that [Folder.Write] returned. It returns the folders of the hour, in order.
// If one of them exists and may not be replaced, nothing is moved.
func (f *Folder) Commit(ctx context.Context, rows *Rows) (places []string, err error) {
	names := slices.Sorted(maps.Keys(rows.Proxies))
	if len(names) == 0 { // no proxy is known: the rows of reads.ndjson.gz say why
		names = slices.Sorted(maps.Keys(rows.paths))
	}
	most := slices.MaxFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rows.Proxies[a], rows.Proxies[b]), strings.Compare(b, a))
	})
	if err := os.Rename(f.Archive(), filepath.Join(rows.paths[most], ArchiveName)); err != nil {
		return nil, err
	}
	all := slices.Sorted(maps.Keys(rows.paths))
	for _, name := range all {
		place := filepath.Join(f.dir, name, hour(rows.Time))
		places = append(places, place)
		if _, err := os.Lstat(place); !errors.Is(err, fs.ErrNotExist) && !f.force {
			return nil, process.Usagef("%s: there is one; --force replaces it", place)
		}
	}
	if err := context.Cause(ctx); err != nil { // this is the last moment at which the run can still be cancelled
		return nil, err
	}
	for i, name := range all {
		if err := f.move(rows.paths[name], places[i]); err != nil {
			return nil, err
		}
	}
	return places, nil
}

// move gives a folder its place. A folder that is replaced is moved away first,
// because renaming replaces only an empty one.
func (f *Folder) move(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if err := os.Rename(to, from+".replaced"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}

// hour returns the folders of a time, below that of the cluster.
func hour(t time.Time) string {
	t = t.UTC()
	return filepath.Join("date="+t.Format(time.DateOnly), "hour="+t.Format("15"))
}

// unknownValue is the value of a partition that isn't known. Hive reads it as
// NULL, as DuckDB does.
const unknownValue = "__HIVE_DEFAULT_PARTITION__"

// maxClusterID is the largest size of a cluster ID in bytes. The escaped name of
// its folder then has less than 255 bytes, the limit of common file systems.
const maxClusterID = 80

// clusterFolder returns the name of the folder of a cluster. The cluster ID comes
// from the proxies, so every byte that could have a meaning in a path or a shell is
// escaped, as %2F. SQL engines decode it.
func clusterFolder(id string) (string, error) {
	if id == "" {
		return "cluster=" + unknownValue, nil
	}
	if len(id) > maxClusterID {
		return "", fmt.Errorf("a cluster ID has %d bytes; the name of a folder takes at most %d", len(id), maxClusterID)
	}
	var b strings.Builder
	b.WriteString("cluster=")
	for _, c := range []byte(id) {
		if c == '-' || c == '_' || c == '.' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String(), nil
}
