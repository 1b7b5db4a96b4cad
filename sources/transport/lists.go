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

// listFiles are the files of a bug report, below cluster/, that hold
// Kubernetes objects. Of an object that is in several the first is taken.
func listFiles() []string { return []string{"k8s-resources", "crs", "pods", "nodes"} }

// lists answers List from files of YAML, which hold objects of all resources
// in lists. The answer is YAML too: for each object a document, a List of
// that one, whose lines are those of the file.
type lists struct {
	files   []listFile
	turn    chan struct{} // held by who looks for the objects
	scanned bool
}

type listFile struct {
	name    string
	bytes   decode.Bytes
	err     error // why there are no bytes
	objects []kubeObject
	lists   bool // it has a list at all
}

func newLists(ctx context.Context, t tree, dir string) *lists {
	l := &lists{turn: make(chan struct{}, 1)}
	for _, name := range listFiles() {
		b, err := t.open(ctx, path.Join(dir, name))
		l.files = append(l.files, listFile{name: name, bytes: b, err: err})
	}
	return l
}

// list gives the objects of a resource.
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
	case home.err != nil && !errors.Is(home.err, fs.ErrNotExist): // there may be more
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
	j.addText("\n") // the file may end without one
}

// scan finds the objects of all files, once. What of a file can't be read is
// the error of its resources.
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

// home gives the file where all objects of a resource are to be found:
// istioctl asks for all custom resources, and for "all" and a few kinds more.
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

// custom tells custom resources of the mesh. A bug report has all of them: none
// of one means that there are none. (A cluster without a pod, a service or a
// namespace there is not; none of those means that they were not recorded.)
func custom(resource string) bool {
	_, group, _ := strings.Cut(resource, ".")
	return group == "gateway.networking.k8s.io" || strings.HasSuffix(group, ".istio.io")
}
