package diffcmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/plugin/run"
	"github.com/meshq/kubectl-meshq/query/diff"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/redact"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// others holds the sources that are compared with the mesh. The caller closes them.
type others struct {
	against, held []transport.Source
}

// present is the name of the side without the change of --what-if.
const present = "now"

// Between shows the differences between a mesh without and with a change, of the
// proxies with these ids, as the command diff does. Differences are no error.
func Between(ctx context.Context, r *run.Run, before, after transport.Source, proxies []string) error {
	f := *r.Flags
	f.WhatIf = []string{"-"} // the differences are those of a change
	q := &run.Run{
		World: r.World, Flags: &f, Argv: r.Argv, Request: &run.Request{Query: ".proxies[] | diff", Proxies: proxies}, Changed: r.Changed,
		Labels: r.Labels, Stdout: r.Stdout, Progress: r.Progress,
	}
	d := &Options{against: present, Around: Unchanged}
	err := q.Within(ctx, []transport.Source{after}, func(ctx context.Context) error {
		return d.over(ctx, q, others{against: []transport.Source{before}})
	})
	if exit := new(process.ExitError); errors.As(err, &exit) && exit.Err == nil {
		return nil
	}
	return err
}

// predicts reports whether the predicted mesh of --what-if is compared with the mesh
// without the change, because nothing else is to be compared.
func (d *Options) predicts(r *run.Run) bool {
	return len(r.WhatIf) > 0 && (d.against == "" || d.against == present) && d.with == "" && d.DumpFile == ""
}

// runWhatIf compares the mesh without the change of --what-if with the one with it.
func (d *Options) runWhatIf(ctx context.Context, r *run.Run) (err error) {
	before, after, err := run.OpenBoth(ctx, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.CloseAll(ctx, before), run.CloseAll(ctx, after)) }()
	d.against = present
	return r.Within(ctx, after, func(ctx context.Context) error { return d.over(ctx, r, others{against: before}) })
}

// openOther opens the sources of the mesh of --against and of the config dump of
// --file.
func (d *Options) openOther(ctx context.Context, r *run.Run) (o others, err error) {
	if o.against, err = r.OpenBeside(ctx, d.against); err != nil {
		return o, err
	}
	if o.held, err = r.OpenBeside(ctx, d.DumpFile); err != nil {
		return o, errors.Join(err, run.CloseAll(ctx, o.against))
	}
	return o, nil
}

// digestKeys returns the ids of the keys that the digests in the sources were made
// with, without duplicates. The id is "" if the manifest doesn't contain one, and
// "as it is" if the source contains no digests.
func digestKeys(all []transport.Source) (keys []string) {
	for _, s := range all {
		m, key := s.Manifest(), "as it is"
		if slices.Contains(m.Redacted, redact.FreeText) {
			key = m.RedactKey
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// comparable reports whether the digests of two meshes were made with the same key.
func comparable(a, b []transport.Source) bool {
	x, y := digestKeys(a), digestKeys(b)
	return len(x) == 1 && len(y) == 1 && x[0] == y[0] && x[0] != ""
}

// withDigests returns the context for the comparison. If the digests of the two
// sides can't be compared, the comparison records a fault at the first value that
// contains a digest.
func (d *Options) withDigests(ctx context.Context, r *run.Run, answers []transport.Source, o others) context.Context {
	for path, other := range map[string][]transport.Source{d.against: o.against, d.DumpFile: o.held} {
		if path == "" || comparable(answers, other) {
			continue
		}
		f := &mesh.Fault{Subject: path, Err: errors.New("digests are of another key, so what they stand for can't be compared: record both with --redact-key")}
		return diff.WithForeignDigests(ctx, func() { r.Fault(f) })
	}
	return ctx
}

// Files returns the config dumps that replace the mesh if no proxy is named.
func (d *Options) Files() []string {
	if d.DumpFile == "" {
		return nil
	}
	return []string{d.DumpFile}
}

func baseName(path string) string { return filepath.Base(path) }

// An otherMesh is the mesh of --against.
type otherMesh struct {
	*sources.Mesh
	all   []*mesh.Object
	names []mesh.Name
	tell  func(string)
}

// openOthers opens the documents of --against and --file. proxies is the number of
// compared proxies.
func (c *comparison) openOthers(ctx context.Context, o others, proxies int) (closeAll func(), err error) {
	var open []*sources.Mesh
	closeAll = func() {
		for _, m := range open {
			m.Close() // the error doesn't matter, because all results are printed
		}
	}
	if len(o.against) > 0 {
		if err := c.openOther(ctx, o.against); err != nil {
			return closeAll, err
		}
		open = append(open, c.other.Mesh)
	}
	if len(o.held) == 0 {
		return closeAll, nil
	}
	if proxies != 1 {
		return closeAll, process.Usagef("--file %s: it is what one proxy holds, and %s are compared", c.DumpFile, run.Plural(proxies, "proxy", "proxies"))
	}
	m, err := c.openDump(ctx, o.held)
	if m != nil {
		open = append(open, m)
	}
	return closeAll, err
}

// openDump opens the document of --file and stores its only proxy in c.dump.
func (c *comparison) openDump(ctx context.Context, answers []transport.Source) (*sources.Mesh, error) {
	m, all, err := c.document(ctx, answers)
	if err != nil {
		return m, err
	}
	if len(all) != 1 {
		return m, process.Usagef("--file %s: a config dump is of one proxy, this is of %d", c.DumpFile, len(all))
	}
	c.dump = all[0]
	return m, nil
}

// document opens a document over the sources and returns all its proxies.
func (c *comparison) document(ctx context.Context, answers []transport.Source) (*sources.Mesh, []*mesh.Object, error) {
	m, err := sources.Open(ctx, sources.Options{
		Sources: answers, Keep: true, Memory: int64(c.Memory), Concurrency: c.Concurrency, Now: c.Started, Clock: c.Now,
	})
	if err != nil {
		return nil, nil, c.Opening(ctx, process.Exit(process.ExitUsage, err))
	}
	v, err := mesh.Get(ctx, m.Document(), "proxies")
	if err == nil {
		v, err = mesh.Force(ctx, v)
	}
	var all []*mesh.Object
	list, _ := v.([]any)
	for _, p := range list {
		if p, ok := p.(*mesh.Object); ok {
			all = append(all, p)
		}
	}
	return m, all, err
}

// openOther opens the document of --against. It reads all proxies, because the same
// proxy may have another name in that mesh.
func (c *comparison) openOther(ctx context.Context, answers []transport.Source) error {
	m, all, err := c.document(ctx, answers)
	if m != nil {
		c.other = &otherMesh{Mesh: m, tell: c.Note}
	}
	for _, p := range all {
		name, e := proxyName(ctx, p)
		if e != nil {
			return e
		}
		c.other.all, c.other.names = append(c.other.all, p), append(c.other.names, name)
	}
	return err
}

// find returns the same proxy of the other mesh. If there is none, it returns the
// first proxy of the same workload, because the names of pods change. If there is
// none either, it returns nil.
func (o *otherMesh) find(ctx context.Context, p *mesh.Object) (*mesh.Object, error) {
	want, err := proxyName(ctx, p)
	if err != nil {
		return nil, err
	}
	for i, n := range o.names {
		if n.ID == want.ID && n.ClusterID == want.ClusterID {
			return o.all[i], nil
		}
	}
	for i, n := range o.names {
		if want.Workload != "" && n.Workload == want.Workload && n.ClusterID == want.ClusterID && spaceOf(n) == spaceOf(want) {
			o.tell(fmt.Sprintf("%s is compared with %s, of the same workload", want.ID, n.ID))
			return o.all[i], nil
		}
	}
	return nil, nil
}

func spaceOf(n mesh.Name) string { return n.ID[min(len(n.Pod), len(n.ID)):] }

func proxyName(ctx context.Context, p *mesh.Object) (n mesh.Name, err error) {
	for field, at := range map[string]*string{"id": &n.ID, "name": &n.Pod, "workload": &n.Workload, "clusterID": &n.ClusterID} {
		if *at, err = run.TextOf(ctx, p, field); err != nil {
			return n, err
		}
	}
	return n, nil
}
