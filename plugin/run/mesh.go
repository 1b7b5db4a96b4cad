package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/meshq/kubectl-meshq/plugin/demo"
	"github.com/meshq/kubectl-meshq/plugin/process"
	"github.com/meshq/kubectl-meshq/printers/columns"
	"github.com/meshq/kubectl-meshq/query"
	"github.com/meshq/kubectl-meshq/query/demand"
	"github.com/meshq/kubectl-meshq/sources"
	"github.com/meshq/kubectl-meshq/sources/forward"
	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/live"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/section"
	"github.com/meshq/kubectl-meshq/sources/transport"
	"k8s.io/client-go/tools/clientcmd"
)

// OpenSources opens the snapshots of --snapshot, or a live mesh if there are none.
// If --what-if is set, it returns sources of the mesh with the change. The caller
// has to close the sources.
func (r *Run) OpenSources(ctx context.Context) ([]transport.Source, error) {
	if len(r.WhatIf) == 0 {
		return r.OpenPresent(ctx)
	}
	_, after, err := OpenBoth(ctx, r)
	return after, err
}

// OpenPresent opens the same sources as OpenSources, but always of the mesh
// without a change.
func (r *Run) OpenPresent(ctx context.Context) ([]transport.Source, error) {
	if s := sessionOf(ctx); s != nil {
		return s.sources(r, func() ([]transport.Source, error) { return openPresent(ctx, r) })
	}
	return openPresent(ctx, r)
}

func openPresent(ctx context.Context, r *Run) ([]transport.Source, error) {
	if len(r.Snapshots) == 0 {
		return openLive(ctx, r)
	}
	answers, err := r.openSnapshots(ctx)
	if err != nil {
		return nil, r.Opening(ctx, err)
	}
	if err := readable(ctx, answers); err != nil {
		return nil, r.Opening(ctx, err)
	}
	r.noteOverlaps(ctx, answers)
	return answers, nil
}

// OpenMesh opens the document of a mesh over the sources. The caller still has to
// close the sources.
func (r *Run) OpenMesh(ctx context.Context, answers []transport.Source) (err error) {
	o := sources.Options{
		Sources: answers, Keep: true, Selector: r.Labels, Proxies: r.Request.Proxies,
		Revision: r.Revision, MaxWhole: r.MaxFetch, TooMany: r.refuse,
		Memory: int64(r.Sections()), Concurrency: r.Concurrency, Now: r.Started, Clock: r.Now,
	}
	o.Reads, o.ReadsDesired = r.reads()
	o.WholeDump = r.Request.named != nil && r.Request.named.AllParts
	if r.session != nil { // later queries of the session may read other parts
		o.Reads, o.ReadsDesired, o.WholeDump, o.TooMany = wholeSections(), nil, false, r.session.refuse
	}
	if !r.AllNamespaces {
		o.Namespace = *r.Kube.Namespace
	}
	if r.Mesh, err = sources.Open(ctx, o); err != nil {
		return r.Opening(ctx, process.Exit(process.ExitUsage, err))
	}
	return nil
}

// refuse ends a run that would read more proxies than --max-fetch allows.
func (r *Run) refuse(err *section.TooManyError) { r.cancel(process.Exit(process.ExitUsage, err)) }

// CloseAll closes sources, unless a session keeps them open.
func CloseAll(ctx context.Context, all []transport.Source) error {
	if sessionOf(ctx) != nil {
		return nil
	}
	return closeSources(all)
}

func closeSources(all []transport.Source) (err error) {
	for _, s := range all {
		err = errors.Join(err, s.Close())
	}
	return err
}

// readable returns an error if the sources are snapshots that contain no istiod,
// no proxy and no pods. In that case it closes them.
func readable(ctx context.Context, all []transport.Source) error {
	for _, s := range all {
		pilots, _ := s.Pilots(ctx) // an error is reported later, when the query reads the istiods
		proxies, _ := s.Proxies(ctx)
		if len(pilots)+len(proxies) > 0 {
			return nil
		}
		if _, err := s.List(ctx, "pods"); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	return errors.Join(process.Usagef("nothing could be read: no pilot, no proxy and no pods in it"), closeSources(all))
}

// noteOverlaps prints a note if two snapshots of one context contain the same proxy.
// Snapshots of one context are read as parts of one mesh, and each response is taken
// from the first snapshot that contains it.
func (r *Run) noteOverlaps(ctx context.Context, all []transport.Source) {
	if len(all) < 2 {
		return
	}
	holder := map[string]bool{}
	for _, s := range all {
		m := s.Manifest()
		if m.Kind == transport.KindConfigDump || m.Kind == transport.KindZtunnelDump || m.Kind == transport.KindClusters {
			continue // a dump is a separate mesh, regardless of the other sources
		}
		proxies, err := s.Proxies(ctx)
		if err != nil {
			continue // an error is reported later, when the query reads the proxies
		}
		for _, p := range proxies {
			key := m.Context + "/" + p
			if holder[key] {
				r.Note(fmt.Sprintf("several snapshots of context %q hold %s: they are read as parts of one mesh, and the first that has an answer gives it", m.Context, p))
				return
			}
			holder[key] = true
		}
	}
}

// Opening returns the error to report when opening the mesh fails. If ctx has ended,
// that is the error of the timeout or of the interrupt; otherwise it is err. An
// unknown proxy has the same exit code as in a query.
func (r *Run) Opening(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return process.Exit(process.ExitRun, ctx.Err())
	}
	if none := new(inventory.UnknownProxyError); errors.As(err, &none) {
		return process.Exit(process.ExitRun, none)
	}
	return err
}

// openSnapshots opens the snapshots at all paths of --snapshot. A path may be a glob
// pattern; then openSnapshots opens every file that matches it.
func (r *Run) openSnapshots(ctx context.Context) (open []transport.Source, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, closeSources(open))
		}
	}()
	for _, given := range r.Snapshots {
		paths, err := expand(given)
		if err != nil {
			return open, err
		}
		for _, path := range paths {
			s, err := r.openSnapshot(ctx, path)
			if err != nil {
				return open, process.Usagef("%s", process.OneLine(err.Error()))
			}
			open = append(open, s)
			if err := r.Request.sameKey(path, s.Manifest()); err != nil {
				return open, err
			}
			r.notePartial(path, s)
		}
	}
	return open, nil
}

func (r *Run) openSnapshot(ctx context.Context, path string) (transport.Source, error) {
	o := transport.OpenOptions{Stdin: r.In, Quota: r.Quota(), KeepFiles: r.readsWhole()}
	if info, err := os.Stat(path); o.KeepFiles && err == nil && info.Mode().IsRegular() && info.Size() > largeFile {
		r.KeepsLargeFile()
	}
	if archive, ok := demo.Named(path); ok {
		return transport.OpenBytes(ctx, path, archive, o)
	}
	return transport.Open(ctx, path, o)
}

// largeFile is the size in bytes from which on a file that is kept in memory makes up
// much of the heap.
const largeFile = 4 << 20

// expand returns the sorted files that match a pattern. If a file with exactly that
// path exists, expand returns this path alone, even if the path contains pattern
// characters.
func expand(path string) ([]string, error) {
	if _, err := os.Lstat(path); err == nil { // the path exists, so it isn't a pattern
		return []string{path}, nil
	}
	found, err := filepath.Glob(path)
	if err != nil {
		// the pattern is invalid, for example because a file name contains an
		// opening bracket
		return []string{path}, nil
	}
	if len(found) == 0 {
		if _, isDemo := demo.Named(path); isDemo || path == "-" {
			return []string{path}, nil
		}
		return nil, process.Usagef("%s: %s", path, fs.ErrNotExist)
	}
	return found, nil
}

// notePartial prints a note if a snapshot doesn't contain its whole mesh, or if its
// mesh is a prediction.
func (r *Run) notePartial(path string, s transport.Source) {
	if w := s.Manifest().WhatIf; len(w) > 0 {
		r.Note(path + ": a prediction, recorded with these objects applied: " + strings.Join(w, ", "))
	}
	if s.Manifest().Partial {
		r.Note(path + ": some of the mesh could not be had when it was recorded; its manifest.json tells what")
	}
}

// Quota returns the limit on temporary files that all sources of the run share. The
// first call creates it.
func (r *Run) Quota() *transport.Quota {
	if r.spooled == nil {
		r.spooled = process.NewQuota(int64(r.Spool), os.TempDir(), process.FreeBytes)
	}
	return r.spooled
}

// OpenBeside opens the sources of a second mesh, which is compared with the mesh
// of the run. path has the form of an argument of --snapshot. If it is empty,
// OpenBeside returns nil. The caller has to close the sources.
func (r *Run) OpenBeside(ctx context.Context, path string) ([]transport.Source, error) {
	if path == "" {
		return nil, nil
	}
	f := *r.Flags
	f.Snapshots, f.WhatIf = []string{path}, nil
	beside := &Run{World: r.World, Flags: &f, Request: r.Request, Stdout: r.Stdout, notes: r.notes, Progress: r.Progress, spooled: r.Quota()}
	return beside.OpenSources(ctx)
}

// openLive opens the sources of a live mesh: the addresses of --pilot and
// --envoy if there are any, and the clusters of the kubeconfig contexts
// otherwise. It sends no request.
func openLive(ctx context.Context, r *Run) (open []transport.Source, err error) {
	requestTimeout, err := clientcmd.ParseTimeout(*r.Kube.Timeout)
	if err != nil {
		return nil, process.Usagef("--request-timeout %s: not a time like 5s or 1m", *r.Kube.Timeout)
	}
	if len(r.Pilots)+len(r.Envoys) > 0 {
		s, err := live.NewDirect(live.DirectOptions{
			Pilots: r.Pilots, Envoys: r.Envoys, RequestTimeout: requestTimeout, Timeout: context.WithTimeout, Quota: r.Quota(),
		})
		if err != nil {
			return nil, process.Exit(process.ExitUsage, err)
		}
		return []transport.Source{s}, nil
	}
	contexts := r.Contexts
	if len(contexts) == 0 {
		contexts = []string{*r.Kube.Context}
	}
	r.Quota() // create the quota here, because Await may abandon the goroutine that opens a cluster
	for _, name := range contexts {
		s, err := process.Await(ctx, func() (transport.Source, error) { return openCluster(r, name, requestTimeout) })
		if err != nil {
			return nil, errors.Join(err, closeSources(open))
		}
		open = append(open, s)
	}
	return open, nil
}

// openCluster opens the source for one kubeconfig context. An empty name
// selects the current context.
func openCluster(r *Run, context_ string, requestTimeout time.Duration) (transport.Source, error) {
	loader := r.Kube.In(context_).ToRawKubeConfigLoader()
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	config, err := loader.ClientConfig()
	// the process runs in a pod, so it can use the pod's service account
	inside := r.Env("KUBERNETES_SERVICE_HOST") != ""
	switch {
	case clientcmd.IsEmptyConfig(err), len(raw.Contexts)+len(raw.Clusters) == 0 && *r.Kube.APIServer == "" && !inside:
		return nil, process.Usagef("no cluster is configured: no kubeconfig was found (a recorded mesh needs none: --snapshot demo)")
	case err != nil:
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	if context_ == "" {
		context_ = raw.CurrentContext
	}
	pool, err := forward.New(config, forward.Options{Timeout: context.WithTimeout, UpgradeTimeout: requestTimeout, Sessions: r.Concurrency * 3 / 2})
	if err != nil {
		return nil, process.Usagef("kubeconfig: %s", process.OneLine(err.Error()))
	}
	s, err := live.NewCluster(live.ClusterOptions{
		Context: context_, Config: config, Dialer: pool, IstioNamespace: r.IstioNamespace, Revision: r.Revision, Namespace: namespace,
		AdminPort: r.AdminPort, RequestTimeout: requestTimeout, Timeout: context.WithTimeout, Quota: r.Quota(),
	})
	if err != nil {
		return nil, errors.Join(process.Exit(process.ExitUsage, err), pool.Close())
	}
	return s, nil
}

// uses returns the parts of the proxies' sections that will be read, by the query
// and by the printing of its results. See package demand.
func (r *Run) uses() []demand.Use { return r.demand().Sections() }

func (r *Run) demand() *demand.Tree {
	results := &demand.Tree{Shown: true}
	switch {
	case r.Quiet && !r.Request.Traces:
		results = &demand.Tree{} // no field of a result is read, because only its existence matters
	case r.printsWhole():
		results = nil
	}
	return query.Demand(r.Request.Query, results).As("Mesh", r.columns)
}

// reads returns hints for the sources. sections lists the parts of each section that
// the run will read, and desired lists the parts of the sections that istiod would
// send. A run without a query, such as a comparison or a recording, reads
// everything.
func (r *Run) reads() (sections, desired map[mesh.Section]mesh.Hint) {
	if r.Program == nil {
		return map[mesh.Section]mesh.Hint{mesh.Clusters: {}, mesh.Listeners: {}, mesh.Routes: {}}, nil
	}
	tree := r.demand()
	return hints(tree.Sections()), hints(tree.Desired())
}

func hints(uses []demand.Use) map[mesh.Section]mesh.Hint {
	all := map[mesh.Section]mesh.Hint{}
	for _, u := range uses {
		all[u.Section] = u.Hint()
	}
	return all
}

// readsWhole reports whether the run reads the elements of a section with all their
// fields.
func (r *Run) readsWhole() bool {
	sections, _ := r.reads()
	for _, h := range sections {
		if h.Fields == nil && !h.Few {
			return true
		}
	}
	return false
}

// printsWhole reports whether printing a result reads all its fields.
func (r *Run) printsWhole() bool {
	f := &r.Output
	switch f.Format {
	case "", "wide", "table":
		if r.Request.Printer != nil {
			return true
		}
		return f.Raw || f.Join || f.Raw0 || f.Seq || f.Compact || f.Tab || f.Ascii || r.Changed("indent") || f.SortBy != "" || r.Await || r.Watch
	}
	return true
}

// columns returns the fields that the table of a kind reads for each row.
func (r *Run) columns(kind string) (fields []string, ok bool) {
	return columns.Fields(kind, r.Output.Format == "wide")
}
