package sources

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"io"
	"slices"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/redact"
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// An Archive takes the files of a snapshot, one after another: a
// *transport.Writer does.
type Archive interface {
	Add(name string, size int64, r io.Reader) error
}

// RecordOptions say what is recorded.
type RecordOptions struct {
	// Sections are those of the proxies that are recorded; empty: all, and
	// what else can be had of a proxy.
	Sections []mesh.Section

	// Desired records what Pilots would send to each proxy, too. It makes them
	// compute it.
	Desired bool

	// Shard, from 1 to Shards, records a part of the proxies: each is in one
	// part, the same whenever and wherever it is recorded. Together the parts
	// are the snapshot. Shards 0: all proxies.
	Shard, Shards int

	// Redaction says what is taken out of the answers.
	Redaction Redaction
	// Tally, if not nil, tells how far the recording is.
	Tally *Tally
}

// Recorded says what was recorded.
type Recorded struct {
	Proxies  int           // that gave something
	Files    int           // with the manifest
	Bytes    int64         // of all files
	Redacted []string      // what was taken out, in words; somebody else may have done it
	Digested int           // texts that a digest stands for
	Dropped  int           // texts that a fixed word stands for
	Faults   []*mesh.Fault // what could not be had
	Partial  bool          // there are faults, or the mesh was a snapshot that says so
}

// Record writes what can be had of the mesh to a, as a snapshot: all that
// istiods and Kubernetes say, and the proxies that Options leave in the mesh.
// What is not known to be harmless is taken out before anything is written. What
// can't be had is a fault in the manifest and in the result; the error is of a
// mesh that a snapshot can't hold, of ctx or of a, and then a is broken.
//
// Answers are asked for, looked through and written a few proxies at a time,
// and dropped, so that memory does not grow with the mesh, beyond what the
// outline holds. The order of the files is decided: istiods by name,
// Kubernetes' resources, proxies as in the document, the manifest.
func (m *Mesh) Record(ctx context.Context, a Archive, o RecordOptions) (Recorded, error) {
	realm, err := m.recordable()
	if err != nil {
		return Recorded{}, err
	}
	policy, err := redact.New(redact.Options(o.Redaction))
	if err != nil {
		return Recorded{}, err
	}
	out, err := m.outline.Get(ctx)
	if err == nil {
		err = out.unknown
	}
	if err != nil {
		return Recorded{}, err
	}
	c := &recorder{Mesh: m, realm: realm, options: o, archive: a, policy: policy, tally: cmp.Or(o.Tally, &Tally{})}
	if err := c.run(ctx, out); err != nil {
		return Recorded{}, err
	}
	return c.finish()
}

// has tells whether a proxy is in the part that is recorded.
func (o RecordOptions) has(id string) bool {
	if o.Shards == 0 {
		return true
	}
	h := fnv.New32a()
	io.WriteString(h, id)
	return int(h.Sum32()%uint32(o.Shards)) == o.Shard-1
}

// recordable gives the realm of the mesh, which must be one: a snapshot is of
// one context.
func (m *Mesh) recordable() (*realm, error) {
	if slices.ContainsFunc(m.realms, (*realm).lone) {
		return nil, errors.New("a config dump alone is no mesh to be recorded: it is what can be given to --snapshot")
	}
	if len(m.realms) != 1 {
		return nil, errors.New("a snapshot is of one context: record each on its own")
	}
	return m.realms[0], nil
}

// A recorder writes one snapshot.
type recorder struct {
	*Mesh
	realm   *realm
	options RecordOptions
	archive Archive
	tally   *Tally

	result Recorded
	faults []*mesh.Fault
	policy *redact.Policy
	found  redact.Counts
}

// write puts the answers of a unit into the archive.
func (c *recorder) write(ctx context.Context, u *unit) error {
	if u.proxy && len(u.items) > 0 {
		c.result.Proxies++
	}
	for _, it := range u.items {
		r, close, err := it.open(ctx, c.policy)
		if err != nil {
			return err
		}
		err = c.add(it.name, it.size, r)
		close()
		if err != nil {
			return err
		}
		c.found.Digested += it.found.Digested
		c.found.Dropped += it.found.Dropped
		it.drop()
	}
	u.wants, u.items = nil, nil
	c.faults = append(c.faults, u.faults...)
	return nil
}

func (c *recorder) add(name string, size int64, r io.Reader) error {
	if err := c.archive.Add(name, size, r); err != nil {
		return err
	}
	c.result.Files++
	c.result.Bytes += size
	return nil
}

// finish writes the manifest.
func (c *recorder) finish() (Recorded, error) {
	all := append(c.LeftOut(), c.faults...)
	sortFaults(all)
	all = slices.CompactFunc(all, func(a, b *mesh.Fault) bool { return a.Error() == b.Error() })
	c.result.Faults, c.result.Partial = all, len(all) > 0
	c.result.Digested, c.result.Dropped = c.found.Digested, c.found.Dropped
	first := c.realm.sources[0].Manifest()
	for _, s := range c.realm.sources {
		was := s.Manifest()
		c.result.Partial = c.result.Partial || was.Partial
		for _, word := range was.Redacted {
			if !slices.Contains(c.result.Redacted, word) {
				c.result.Redacted = append(c.result.Redacted, word)
			}
		}
	}
	c.result.Redacted = c.policy.Words(c.result.Redacted)
	written := make([]*mesh.Fault, len(all))
	for i, f := range all {
		written[i] = c.withoutWords(f)
	}
	text, err := transport.Manifest{
		TakenAt: c.now, Context: c.realm.context, IstioNamespace: first.IstioNamespace,
		Redacted: c.result.Redacted, Keep: c.options.Redaction.Keep, RedactKey: c.keyCheck(), Partial: c.result.Partial,
	}.JSON(written)
	if err == nil {
		err = c.add(transport.ManifestFile, int64(len(text)), bytes.NewReader(text))
	}
	return c.result, err
}

// withoutWords gives a fault as the manifest has it: what a server said is free
// text.
func (c *recorder) withoutWords(f *mesh.Fault) *mesh.Fault {
	text := f.Err.Error()
	var status interface {
		Status() (code int, words string)
	}
	if errors.As(f.Err, &status) {
		if _, words := status.Status(); words != "" {
			text = strings.Replace(text, words, c.policy.Hidden(words), 1)
		}
	}
	g := *f
	if text = c.policy.Scrub(text); text != f.Err.Error() {
		g.Err = errors.New(text)
	}
	return &g
}

// keyCheck tells the key of the digests; "" where they are of several, or of one
// that nobody knows.
func (c *recorder) keyCheck() string {
	key, was := c.policy.KeyCheck(), ""
	for i, s := range c.realm.sources {
		m := s.Manifest()
		if !slices.Contains(m.Redacted, redact.FreeText) {
			continue
		}
		if i > 0 && was != m.RedactKey {
			return ""
		}
		if was = m.RedactKey; was == "" {
			return ""
		}
	}
	if was != "" && was != key && c.found.Digested > 0 {
		return ""
	}
	return cmp.Or(was, key)
}
