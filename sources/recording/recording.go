package recording

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshq/kubectl-meshq/sources/inventory"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/redact"
	"github.com/meshq/kubectl-meshq/sources/requests"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// An Archive receives the files of a snapshot, one after another.
// [transport.Writer] implements it.
type Archive interface {
	Add(name string, size int64, r io.Reader) error
}

// Options set what is recorded.
type Options struct {
	// Sections are the sections of proxies to record. If there are none, all
	// sections and all other answers of the proxies are recorded.
	Sections []mesh.Section

	// Desired also records the configuration that the istiods would send to
	// each proxy. This costs istiod CPU time, because it has to compute the
	// configuration.
	Desired bool

	// Shard, from 1 to Shards, selects one part of the proxies; only this part
	// is recorded. Each proxy belongs to one part, regardless of when and where
	// it is recorded. All parts together are the complete snapshot. If Shards
	// is 0, all proxies are recorded.
	Shard, Shards int

	// Redaction configures what is redacted.
	Redaction redact.Options
	// Tally, if not nil, counts the progress.
	Tally *Tally
}

// A Mesh describes the mesh to record.
type Mesh struct {
	Client    *requests.Client
	Clusters  []*requests.Cluster
	Inventory *inventory.Inventory
	Now       time.Time
	Workers   int // the maximum number of concurrent requests
}

// A Result describes what was recorded.
type Result struct {
	Proxies  int           // the number of proxies that answered a request
	Files    int           // the number of files, including the manifest
	Bytes    int64         // the size of all files in bytes
	Redacted []string      // descriptions of what was redacted, now or when the source itself was recorded
	Digested int           // the number of texts that were replaced by a digest
	Dropped  int           // the number of texts that were replaced by a fixed word
	Faults   []*mesh.Fault // the parts that could not be recorded
	Partial  bool          // true if there are faults, or if the recorded mesh was itself a partial snapshot
}

// Record writes a snapshot of a mesh to an archive. It contains the answers
// of the istiods and of Kubernetes, and those of the proxies in the
// inventory. Everything that is not known to be harmless is redacted before
// it is written. Data that can't be read becomes a fault in the manifest and
// in the result. Record returns an error if a snapshot can't hold the mesh,
// if ctx ends, or if the archive fails; the archive is incomplete then.
//
// Answers of a few proxies at a time are fetched, redacted, written and
// dropped, so that memory, apart from the inventory, does not grow with the
// mesh. The order of the files is fixed: istiods by name, Kubernetes
// resources, proxies as in the document, and the manifest.
func Record(ctx context.Context, a Archive, m Mesh, o Options) (Result, error) {
	if err := Check(m.Clusters); err != nil {
		return Result{}, err
	}
	policy, err := redact.New(o.Redaction)
	if err != nil {
		return Result{}, err
	}
	r := &recorder{Mesh: m, cluster: m.Clusters[0], options: o, archive: a, policy: policy, tally: cmp.Or(o.Tally, &Tally{})}
	if err := r.run(ctx); err != nil {
		return Result{}, err
	}
	return r.finish()
}

// Check returns an error if the clusters can't be recorded as one snapshot. A
// snapshot contains exactly one cluster, and a config dump without a mesh isn't
// one.
func Check(all []*requests.Cluster) error {
	switch {
	case slices.ContainsFunc(all, (*requests.Cluster).IsDump):
		return errors.New("a config dump alone is no mesh to be recorded: it is what can be given to --snapshot")
	case len(all) != 1:
		return errors.New("a snapshot is of one context: record each on its own")
	}
	return nil
}

// includes reports whether a proxy is in the shard that is recorded.
func (o Options) includes(id string) bool {
	if o.Shards == 0 {
		return true
	}
	h := fnv.New32a()
	io.WriteString(h, id)
	return int(h.Sum32()%uint32(o.Shards)) == o.Shard-1
}

// A recorder writes one snapshot.
type recorder struct {
	Mesh
	cluster *requests.Cluster
	options Options
	archive Archive
	tally   *Tally

	result Result
	faults []*mesh.Fault
	policy *redact.Policy
	found  redact.Counts
}

// write writes the files of a unit to the archive and then drops the answers
// from memory.
func (r *recorder) write(ctx context.Context, u *unit) error {
	if u.isProxy && len(u.files) > 0 {
		r.result.Proxies++
	}
	for _, f := range u.files {
		in, close, err := f.open(ctx, r.policy)
		if err != nil {
			return err
		}
		err = r.add(f.name, f.size, in)
		close()
		if err != nil {
			return err
		}
		r.found.Digested += f.found.Digested
		r.found.Dropped += f.found.Dropped
		f.discard()
	}
	u.wants, u.files = nil, nil
	r.faults = append(r.faults, u.faults...)
	return nil
}

func (r *recorder) add(name string, size int64, in io.Reader) error {
	if err := r.archive.Add(name, size, in); err != nil {
		return err
	}
	r.result.Files++
	r.result.Bytes += size
	return nil
}

// finish writes the manifest, which is the last file of the snapshot.
func (r *recorder) finish() (Result, error) {
	all := append(r.Client.LeftOut(), r.faults...)
	requests.SortFaults(all)
	all = slices.CompactFunc(all, func(a, b *mesh.Fault) bool { return a.Error() == b.Error() })
	r.result.Faults, r.result.Partial = all, len(all) > 0
	r.result.Digested, r.result.Dropped = r.found.Digested, r.found.Dropped
	first := r.cluster.Sources[0].Manifest()
	for _, s := range r.cluster.Sources {
		source := s.Manifest()
		r.result.Partial = r.result.Partial || source.Partial
		for _, word := range source.Redacted {
			if !slices.Contains(r.result.Redacted, word) {
				r.result.Redacted = append(r.result.Redacted, word)
			}
		}
	}
	r.result.Redacted = r.policy.Words(r.result.Redacted)
	written := make([]*mesh.Fault, len(all))
	for i, f := range all {
		written[i] = r.redactFault(f)
	}
	text, err := transport.Manifest{
		TakenAt: r.Now, Context: r.cluster.Context, IstioNamespace: first.IstioNamespace,
		Redacted: r.result.Redacted, Keep: r.options.Redaction.Keep, RedactKey: r.keyCheck(), Partial: r.result.Partial, WhatIf: first.WhatIf,
	}.JSON(written)
	if err == nil {
		err = r.add(transport.ManifestFile, int64(len(text)), bytes.NewReader(text))
	}
	return r.result, err
}

// redactFault returns a redacted copy of a fault for the manifest. It is
// redacted because the text of a server's error is free text.
func (r *recorder) redactFault(f *mesh.Fault) *mesh.Fault {
	text := f.Err.Error()
	var status requests.StatusError
	if errors.As(f.Err, &status) {
		if _, words := status.Status(); words != "" {
			text = strings.Replace(text, words, r.policy.Hidden(words), 1)
		}
	}
	g := *f
	if text = r.policy.Scrub(text); text != f.Err.Error() {
		g.Err = errors.New(text)
	}
	return &g
}

// keyCheck returns the check value of the key with which the digests in the
// snapshot were computed. It returns "" if there are several keys, or if the
// key is unknown.
func (r *recorder) keyCheck() string {
	key, old := r.policy.KeyCheck(), ""
	for i, s := range r.cluster.Sources {
		m := s.Manifest()
		if !slices.Contains(m.Redacted, redact.FreeText) {
			continue
		}
		if i > 0 && old != m.RedactKey {
			return ""
		}
		if old = m.RedactKey; old == "" {
			return ""
		}
	}
	if old != "" && old != key && r.found.Digested > 0 {
		return ""
	}
	return cmp.Or(old, key)
}

// A Tally counts the requests and bytes of a recording while it runs.
type Tally struct {
	mu          sync.Mutex
	done, total int
	bytes       int64
}

func (t *Tally) plan(units []*unit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, u := range units {
		t.total += len(u.wants)
	}
}

// answered counts a request as finished. f is nil if the request failed or was
// not needed.
func (t *Tally) answered(f *file) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
	if f != nil {
		t.bytes += f.body.Size()
	}
}

// Progress returns the progress of the recording. It is zero until the number
// of requests is known.
func (t *Tally) Progress() requests.Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.total == 0 {
		return requests.Progress{}
	}
	return requests.Progress{Phase: "recording", Done: t.done, Total: t.total, Bytes: t.bytes}
}
