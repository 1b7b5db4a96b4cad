package partition

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/meshq/kubectl-meshq/printers"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// Options select what [Folder.Write] reads of the snapshot.
type Options struct {
	Sections []mesh.Section   // the sections that were recorded; empty: all
	Faults   []*mesh.Fault    // what the recording could not read
	Memory   int64            // the limit of loaded sections, as in [sources.Options]
	Quota    *transport.Quota // the limit of temporary files
}

// Rows describes the files that were written.
type Rows struct {
	Time    time.Time      // when the mesh was recorded; it is in the names of the folders
	Count   int            // how many rows there are
	Unread  int            // how many sections of proxies could not be read
	Proxies map[string]int // how many proxies each cluster's folder has

	paths map[string]string // the temporary folder of each cluster's folder
}

// Write reads the snapshot at [Folder.Archive] and writes its rows. A section that
// can't be read has no rows but the one in reads.ndjson.gz, which says why.
func (f *Folder) Write(ctx context.Context, o Options) (rows *Rows, err error) {
	s, err := transport.Open(ctx, f.Archive(), transport.OpenOptions{Quota: o.Quota, KeepFiles: true})
	if err != nil {
		return nil, err
	}
	m, err := sources.Open(ctx, sources.Options{Sources: []transport.Source{s}, Memory: o.Memory})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	w := &writer{folder: f, options: o, files: map[string]*file{}, rows: &Rows{Time: m.Now(), Proxies: map[string]int{}, paths: map[string]string{}}}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.mesh(ctx, m.Document()); err != nil {
		return nil, err
	}
	return w.rows, nil
}

// A writer writes the rows of one snapshot.
type writer struct {
	folder  *Folder
	options Options
	files   map[string]*file // by their paths
	rows    *Rows
}

// A file is an open file of rows.
type file struct {
	printers.Printer
	buffer *bufio.Writer
	gzip   *gzip.Writer
	file   *os.File
}

func (w *writer) mesh(ctx context.Context, document any) error {
	all, err := mesh.Get(ctx, document, "proxies")
	if err == nil {
		all, err = mesh.Force(ctx, all)
	}
	if err != nil {
		return err
	}
	proxies, _ := all.([]any)
	home := "" // the cluster of the parts that belong to no proxy: that of the first proxy that has one
	for _, v := range proxies {
		p, _ := v.(*mesh.Object)
		if id, _ := p.Member("clusterID"); id != nil && home == "" {
			home, _ = id.(string)
		}
		if err := w.proxy(ctx, p); err != nil {
			return err
		}
	}
	for _, fault := range w.options.Faults {
		if fault.Proxy != "" {
			continue // the proxy's own row says so
		}
		if err := w.row(ctx, home, "reads", w.read(nil, fault.Section, nil, fault)); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) proxy(ctx context.Context, p *mesh.Object) error {
	fields, err := p.Fields(ctx)
	if err != nil {
		return err
	}
	text := func(key string) string {
		v, _ := mesh.Force(ctx, fields.Get(key)) // a value that is unavailable is unknown
		s, _ := v.(string)
		return s
	}
	cluster, id := text("clusterID"), text("id")
	folder, err := clusterFolder(cluster)
	if err != nil {
		return err
	}
	w.rows.Proxies[folder]++
	parts := mesh.RecordedSectionsOf(text("type"))
	row := object.Of("kind", p.Kind, "proxy", id)
	for key, v := range fields.All() {
		if !slices.ContainsFunc(mesh.Sections(), func(part mesh.Part) bool { return string(part.Name) == key }) {
			row.Set(key, v)
		}
	}
	if err := w.row(ctx, cluster, "proxies", row); err != nil {
		return err
	}
	for _, part := range parts {
		if part.Of == "" || len(w.options.Sections) > 0 && !slices.Contains(w.options.Sections, part.Name) {
			continue
		}
		if err := w.section(ctx, cluster, id, string(part.Name), fields.Get(string(part.Name))); err != nil {
			return err
		}
	}
	return nil
}

// section writes the rows of a section of a proxy, and one that says whether it was
// read.
func (w *writer) section(ctx context.Context, cluster, id, name string, section any) error {
	v, err := mesh.Force(ctx, section)
	var fault *mesh.Fault
	if err != nil && !errors.As(err, &fault) {
		return err
	}
	elements, isArray := v.([]any)
	count := any(len(elements))
	if !isArray {
		count = nil
		w.rows.Unread++
	}
	if err := w.row(ctx, cluster, "reads", w.read(id, name, count, fault)); err != nil {
		return err
	}
	for _, e := range elements {
		e, err := mesh.Force(ctx, e)
		if err != nil {
			return err
		}
		fields, _ := e.(*object.Object)
		row := object.Of("kind", fields.Get("kind"), "proxy", id)
		for key, v := range fields.All() {
			row.Set(columnOf(key), v)
		}
		if err := w.row(ctx, cluster, name, row); err != nil {
			return err
		}
	}
	return nil
}

// columnOf returns the name of the column of a member. The columns cluster, date
// and hour are those of the folders, so a member of such a name has Name appended:
// clusterName is the Envoy cluster of an endpoint.
func columnOf(key string) string {
	switch key {
	case "cluster", "date", "hour":
		return key + "Name"
	}
	return key
}

// read returns a row of reads.ndjson.gz. proxy and count are null if they aren't
// known.
func (w *writer) read(proxy any, section string, count any, fault *mesh.Fault) *object.Object {
	row := object.Of("kind", "Read", "proxy", proxy, "section", section, "read", fault == nil && count != nil, "elements", count, "fault", nil, "recordedAt", w.rows.Time.UTC().Format(time.RFC3339))
	if fault != nil {
		row.Set("fault", fault.Error())
	}
	return row
}

func (w *writer) row(ctx context.Context, cluster, table string, row *object.Object) error {
	f, err := w.file(ctx, cluster, table)
	if err != nil {
		return err
	}
	rendered, err := f.Render(ctx, row)
	if err != nil {
		return err
	}
	w.rows.Count++
	return f.Print(rendered)
}

// file returns the open file of a table of a cluster.
func (w *writer) file(ctx context.Context, cluster, table string) (*file, error) {
	folder, err := clusterFolder(cluster)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(w.folder.path, folder)
	path := filepath.Join(dir, table+".ndjson.gz")
	if f := w.files[path]; f != nil {
		return f, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	w.rows.paths[folder] = dir
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	f := &file{file: out, gzip: gzip.NewWriter(out)}
	f.buffer = bufio.NewWriterSize(f.gzip, 64<<10)
	w.files[path] = f
	f.Printer, err = printers.New(printers.Options{Out: f.buffer, Context: ctx, Format: "ndjson"})
	return f, err
}

// close ends the files, so that they are complete on the disk before they get their
// places.
func (w *writer) close() (err error) {
	for _, f := range w.files {
		err = errors.Join(err, f.buffer.Flush(), f.gzip.Close(), f.file.Sync(), f.file.Close())
	}
	return err
}
