package transport

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
)

// listFiles returns the names of the files in a bug report's folder cluster/ that
// contain Kubernetes objects. If several files contain an object, the first one
// is used.
func listFiles() []string { return []string{"k8s-resources", "crs", "pods", "nodes"} }

// lists implements List for a bug report, whose YAML files contain objects of all
// resources. The response is YAML, too. It has one document for each object: a
// List that contains only this object, copied from the lines of the file.
type lists struct {
	files   []listFile
	turn    chan struct{} // a lock that a goroutine holds while it scans the files
	scanned bool
}

type listFile struct {
	name    string
	bytes   decode.Bytes
	err     error // the reason why the file can't be read
	objects []kubeObject
	lists   bool // true if the file contains at least one list
}

func newLists(ctx context.Context, t tree, dir string) *lists {
	l := &lists{turn: make(chan struct{}, 1)}
	for _, name := range listFiles() {
		b, err := t.open(ctx, path.Join(dir, name))
		l.files = append(l.files, listFile{name: name, bytes: b, err: err})
	}
	return l
}

// list returns the response with the objects of a resource.
func (l *lists) list(ctx context.Context, resource string) (*Body, error) {
	if err := l.scan(ctx); err != nil {
		return nil, err
	}
	j := &joined{}
	seen := map[string]bool{}
	for _, f := range l.files {
		for _, o := range f.objects {
			key := o.namespace + "/" + o.name
			if o.resource() == resource && (o.name == "" || !seen[key]) {
				seen[key] = true
				j.addObject(f.bytes, o)
			}
		}
	}
	home := l.home(resource)
	switch {
	case len(seen) == 0 && home.err != nil:
		return nil, home.err
	case home.err != nil && !errors.Is(home.err, fs.ErrNotExist): // the unreadable file may contain more objects
		return nil, home.err
	case len(seen) == 0 && !(home.lists && custom(resource)):
		return nil, missing{}
	case len(seen) == 0:
		j.addText("apiVersion: v1\nkind: List\nitems: []\n")
	}
	return &Body{Bytes: j, Name: resource, Form: YAML}, nil
}

func (j *joined) addObject(b decode.Bytes, o kubeObject) {
	if o.item {
		j.addText("---\napiVersion: v1\nkind: List\nitems:\n")
	} else {
		j.addText("---\n")
	}
	j.add(b, o.off, o.end)
	j.addText("\n") // the last line of the file may have no newline
}

// scan finds the objects of all files. It scans each file only once. If a file
// can't be read, list returns the error for each resource in that file.
func (l *lists) scan(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if l.scanned {
		return nil
	}
	for i := range l.files {
		f := &l.files[i]
		if f.err != nil {
			continue
		}
		f.objects, f.lists, f.err = scanObjects(ctx, f.bytes)
		if ctx.Err() != nil {
			f.err = nil
			return context.Cause(ctx)
		}
	}
	l.scanned = true
	return nil
}

// home returns the file that contains all objects of a resource. istioctl writes
// all custom resources into one file, and kubectl's category "all" with a few more
// kinds into another one.
func (l *lists) home(resource string) *listFile {
	name := "k8s-resources"
	switch {
	case resource == "nodes":
		name = resource
	case custom(resource):
		name = "crs"
	}
	i := slices.IndexFunc(l.files, func(f listFile) bool { return f.name == name })
	return &l.files[i]
}

// custom reports whether a resource is one of the mesh's custom resources. A bug
// report contains all of their objects, so if it has none of a custom resource,
// the cluster has none. For other resources this doesn't hold: every cluster has
// pods, services and namespaces, so if a bug report has none of them, they were
// not recorded.
func custom(resource string) bool {
	_, group, _ := strings.Cut(resource, ".")
	return group == "gateway.networking.k8s.io" || strings.HasSuffix(group, ".istio.io")
}
