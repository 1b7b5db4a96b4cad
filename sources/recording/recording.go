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

// An Archive takes the files of a snapshot, one after another: a
// *transport.Writer does.
type Archive interface {
	Add(name string, size int64, r io.Reader) error
}

// Options say what is recorded.
type Options struct {
	// Sections are the sections of the proxies that are recorded; empty: all, and
	// what else a proxy can say.
	Sections []mesh.Section

	// Desired also records what istiods would send to each proxy. It makes them
	// compute it.
	Desired bool

	// Shard, from 1 to Shards, records a part of the proxies: each proxy is in
	// one part, the same whenever and wherever it is recorded. Together the parts
	// are the snapshot. Shards 0: all proxies.
	Shard, Shards int

	// Redaction says what is redacted.
	Redaction redact.Options
	// Tally, if not nil, counts the progress.
	Tally *Tally
}

// A Mesh is what is recorded.
type Mesh struct {
	Client    *requests.Client
	Clusters  []*requests.Cluster
	Inventory *inventory.Inventory
	Now       time.Time
	Workers   int // how many requests run at once
}

// A Result says what was recorded.
type Result struct {
	Proxies  int           // those that gave an answer
	Files    int           // with the manifest
	Bytes    int64         // of all files
	Redacted []string      // what was redacted, in words, now or by whoever recorded the source
	Digested int           // texts that were replaced by a digest
	Dropped  int           // texts that were replaced by a fixed word
	Faults   []*mesh.Fault // what could not be recorded
	Partial  bool          // there are faults, or the mesh was a partial snapshot
}

// Record writes a mesh to an archive, as a snapshot: all that istiods and
// Kubernetes say, and the proxies of the inventory. What is not known to be
// harmless is redacted before anything is written. What can't be read becomes a
// fault in the manifest and in the result; the error is that of a mesh that a
// snapshot can't hold, of ctx or of the archive, which is incomplete then.
//
// Answers are fetched, redacted and written a few proxies at a time, and then
// dropped, so that memory does not grow with the mesh beyond the inventory. The
// order of the files is fixed: istiods by name, Kubernetes' resources, proxies
// as in the document, the manifest.
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

// Check returns an error if a snapshot can't hold the clusters: it holds one, and
// no config dumps alone.
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

// write writes the files of a unit and drops their answers.
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

// finish writes the manifest.
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
		Redacted: r.result.Redacted, Keep: r.options.Redaction.Keep, RedactKey: r.keyCheck(), Partial: r.result.Partial,
	}.JSON(written)
	if err == nil {
		err = r.add(transport.ManifestFile, int64(len(text)), bytes.NewReader(text))
	}
	return r.result, err
}

// redactFault returns a fault for the manifest: what a server answered is free
// text.
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

// keyCheck returns the check value of the digests' key; "" where they are of
// several keys, or of an unknown one.
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

// A Tally counts what is recorded, while it is.
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

// answered counts an answer; f is nil for one that failed or was not needed.
func (t *Tally) answered(f *file) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
	if f != nil {
		t.bytes += f.body.Size()
	}
}

// Progress returns how far the recording is. It is zero until the number of
// requests is known.
func (t *Tally) Progress() requests.Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.total == 0 {
		return requests.Progress{}
	}
	return requests.Progress{Phase: "recording", Done: t.done, Total: t.total, Bytes: t.bytes}
}
