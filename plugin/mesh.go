package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/section"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// openSources opens what is asked: the snapshots that --snapshot names, else a
// live mesh. They are the caller's.
func (r *run) openSources(ctx context.Context) ([]transport.Source, error) {
	if len(r.snapshots) == 0 {
		return r.openLive(ctx)
	}
	answers, err := r.openSnapshots(ctx)
	if err != nil {
		return nil, r.opening(ctx, err)
	}
	if err := readable(ctx, answers); err != nil {
		return nil, r.opening(ctx, err)
	}
	r.noteOverlaps(ctx, answers)
	return answers, nil
}

// openMesh makes one document over the sources, which stay the caller's.
func (r *run) openMesh(ctx context.Context, answers []transport.Source) (err error) {
	o := sources.Options{
		Sources: answers, Keep: true, Selector: r.labels, Proxies: r.asked.proxies,
		Revision: r.revision, MaxWhole: r.maxFetch, TooMany: r.refuse, Changed: r.noteChange,
		Memory: int64(r.sections()), Concurrency: r.concurrency, Now: r.started, Clock: r.Now,
	}
	o.Looks, o.Desires = r.looks()
	if !r.allNamespaces {
		o.Namespace = *r.kube.Namespace
	}
	if r.mesh, err = sources.Open(ctx, o); err != nil {
		return r.opening(ctx, &exitError{exitUsage, err})
	}
	return nil
}

// sections is how much of what was loaded of the mesh is held: enough for the
// proxies that are looked at together, while what was dropped is near at hand.
func (f *flags) sections() size { return max(f.memory/8, 1) }

// refuse ends a run that asks for more than it may.
func (r *run) refuse(err *section.TooManyError) { r.cancel(&exitError{exitUsage, err}) }

// closeAll closes sources.
func closeAll(all []transport.Source) (err error) {
	for _, s := range all {
		err = errors.Join(err, s.Close())
	}
	return err
}

// readable tells a snapshot that holds something from one that holds nothing:
// no pilot, no proxy and no pods.
func readable(ctx context.Context, all []transport.Source) error {
	for _, s := range all {
		pilots, _ := s.Pilots(ctx) // an error is told by whoever needs them
		proxies, _ := s.Proxies(ctx)
		if len(pilots)+len(proxies) > 0 {
			return nil
		}
		if _, err := s.List(ctx, "pods"); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return errors.Join(usage("nothing could be read: no pilot, no proxy and no pods in it"), closeAll(all))
}

// noteOverlaps tells when two snapshots of one context hold the same proxy:
// they are read as parts of one mesh, and the first of them answers.
func (r *run) noteOverlaps(ctx context.Context, all []transport.Source) {
	if len(all) < 2 {
		return
	}
	holder := map[string]bool{}
	for _, s := range all {
		m := s.Manifest()
		if m.Kind == transport.KindConfigDump || m.Kind == transport.KindZtunnelDump || m.Kind == transport.KindClusters {
			continue // each is a mesh of its own
		}
		proxies, err := s.Proxies(ctx)
		if err != nil {
			continue // told when they are asked for
		}
		for _, p := range proxies {
			key := m.Context + "/" + p
			if holder[key] {
				r.note(fmt.Sprintf("several snapshots of context %q hold %s: they are read as parts of one mesh, and the first that has an answer gives it", m.Context, p))
				return
			}
			holder[key] = true
		}
	}
}

// opening is what kept the mesh from being opened: the end of the time, or an
// interrupt, where it was that.
func (r *run) opening(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &exitError{exitRun, ctx.Err()}
	}
	return err
}

// openSnapshots opens every path of --snapshot; one with * or ? may be several.
func (r *run) openSnapshots(ctx context.Context) (open []transport.Source, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(open))
		}
	}()
	for _, given := range r.snapshots {
		paths, err := expand(given)
		if err != nil {
			return open, err
		}
		for _, path := range paths {
			s, err := r.openSnapshot(ctx, path)
			if err != nil {
				return open, usage("%s", oneLine(err.Error()))
			}
			open = append(open, s)
			if err := r.asked.sameKey(path, s.Manifest()); err != nil {
				return open, err
			}
			r.notePartial(path, s)
		}
	}
	return open, nil
}

func (r *run) openSnapshot(ctx context.Context, path string) (transport.Source, error) {
	o := transport.OpenOptions{Stdin: r.In, Quota: r.quota()}
	if path == "demo" {
		return transport.OpenBytes(ctx, "demo", demo.Archive, o)
	}
	return transport.Open(ctx, path, o)
}

// expand gives the files that a pattern fits, in order.
func expand(path string) ([]string, error) {
	if _, err := os.Lstat(path); err == nil { // a name, whatever is in it
		return []string{path}, nil
	}
	found, err := filepath.Glob(path)
	if err != nil {
		return []string{path}, nil // not a pattern: a name with brackets in it
	}
	if len(found) == 0 {
		if path == "-" || path == "demo" {
			return []string{path}, nil
		}
		return nil, usage("%s: %s", path, fs.ErrNotExist)
	}
	return found, nil
}
