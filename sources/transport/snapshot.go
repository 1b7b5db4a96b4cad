package transport

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A recorded is the common part of a snapshot and a bug report.
type recorded struct {
	closers
	tree     tree
	prefix   string // the path of the snapshot's folder within the archive or directory
	manifest Manifest
	faults   []*mesh.Fault
}

func (r *recorded) Manifest() Manifest    { return r.manifest }
func (r *recorded) Faults() []*mesh.Fault { return r.faults }

// first returns the content of the first of these files that exists.
func (r *recorded) first(ctx context.Context, dir string, files []file) (*Body, error) {
	var absent error = missing{}
	for _, f := range files {
		b, err := r.tree.open(ctx, path.Join(r.prefix, dir, f.name))
		if err == nil {
			return &Body{Bytes: b, Name: f.name, Form: f.form}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		absent = err
	}
	return nil, absent
}

// folders returns the names of the folders in dir that are not hidden.
func (r *recorded) folders(dir string) ([]string, error) {
	l, err := r.tree.dir(path.Join(r.prefix, dir))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range l.folders {
		if !strings.HasPrefix(name, ".") {
			out = append(out, name)
		}
	}
	return out, nil
}

// A snapshot is a [Source] that reads a folder or archive in meshq's own
// layout.
type snapshot struct{ recorded }

func newSnapshot(ctx context.Context, r recorded, l *ledger) (*snapshot, error) {
	m, err := readManifest(ctx, r.tree, path.Join(r.prefix, "manifest.json"), l)
	if err != nil {
		return nil, err
	}
	if m.TakenAt.IsZero() {
		m.TakenAt = r.tree.newest().UTC()
	}
	r.manifest, r.faults = m, l.faults
	return &snapshot{r}, nil
}

func (s *snapshot) Pilots(context.Context) ([]string, error) { return s.folders("pilots") }

func (s *snapshot) Proxies(context.Context) ([]string, error) {
	names, err := s.folders("proxies")
	for i, name := range names {
		names[i] = folderID(name)
	}
	return names, err
}

func (s *snapshot) Pilot(ctx context.Context, pilot, endpoint string) (*Body, error) {
	if !plain(pilot) {
		return nil, missing{}
	}
	return s.first(ctx, path.Join("pilots", pilot), snapshotEndpoint(endpoint))
}

func (s *snapshot) Fetch(ctx context.Context, proxy, request string, _ mesh.Hint) (*Body, error) {
	folder := proxy
	if folderID(proxy) == proxy {
		folder = folderName(proxy)
	}
	body, err := s.first(ctx, path.Join("proxies", folder), snapshotFiles(request))
	// other programs may name the folder after the proxy without escaping
	if errors.Is(err, fs.ErrNotExist) && folder != proxy && plain(proxy) {
		body, err = s.first(ctx, path.Join("proxies", proxy), snapshotFiles(request))
	}
	return body, err
}

func (s *snapshot) List(ctx context.Context, resource string) (*Body, error) {
	if !plain(resource) {
		return nil, missing{}
	}
	return s.first(ctx, "kubernetes", []file{{resource + ".json", JSON}})
}
