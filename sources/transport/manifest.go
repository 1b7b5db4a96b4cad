package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// layoutVersion is the only version of the snapshot layout that this package can
// read.
const layoutVersion = 1

// A Manifest describes a source. Fields whose values are unknown are empty.
type Manifest struct {
	// Kind is one of the constants KindSnapshot, KindBugReport and so on.
	Kind string

	// Version is the version of the snapshot layout; 0 for the other kinds.
	Version int

	// TakenAt is the time at which the responses were recorded. If there is no
	// manifest, it is the time of the newest file in the folder or archive. It is
	// zero for a config dump, whose content has its own times, and if no file has
	// a time.
	TakenAt time.Time

	// Context is the name of the recorded context in the kubeconfig.
	Context string

	// IstioNamespace is the namespace in which istiods were looked for.
	IstioNamespace string

	// Redacted describes the removed parts, such as "private keys".
	Redacted []string
	// Keep lists the fields that were kept in addition to the fields that are
	// known to be harmless.
	Keep []string
	// RedactKey identifies the key of the digests. It is empty if there are no
	// digests, or if they have different keys.
	RedactKey string

	// Partial is true if a part of the mesh could not be read when the snapshot
	// was recorded.
	Partial bool

	// WhatIf lists the objects that were assumed to be applied, such as
	// "VirtualService shop/web". It is empty unless the mesh is a prediction.
	WhatIf []string
}

// readManifest reads a snapshot's manifest.json. If its version or its kind is
// unknown, it returns an error. If the manifest is missing or can't be read, it
// only adds a fault.
func readManifest(ctx context.Context, t tree, name string, l *ledger) (Manifest, error) {
	m := Manifest{Kind: KindSnapshot, Version: layoutVersion}
	v, err := readSmall(ctx, t, name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = missing{"its newest file tells its age"}
		}
		l.add("manifest.json", err)
		return m, nil
	}
	o, ok := v.(*object.Object)
	if !ok {
		l.add("manifest.json", errors.New("not a JSON object"))
		return m, nil
	}
	if kind, ok := o.Get("kind").(string); ok && kind != KindSnapshot {
		return m, fmt.Errorf("not a snapshot: the manifest's kind is %s", printable(kind))
	}
	if version, ok := o.Lookup("version"); !ok {
		l.add("manifest.json", errors.New("has no version"))
	} else if version != layoutVersion {
		return m, fmt.Errorf("a snapshot of version %s; this meshq reads version %d", printable(fmt.Sprintf("%#v", version)), layoutVersion)
	}
	m.Context, _ = o.Get("context").(string)
	m.IstioNamespace, _ = o.Get("istioNamespace").(string)
	m.Partial, _ = o.Get("partial").(bool)
	m.Redacted, m.Keep = texts(o.Get("redacted")), texts(o.Get("keep"))
	m.RedactKey, _ = o.Get("redactKey").(string)
	m.WhatIf = texts(o.Get("whatIf"))
	taken, _ := o.Get("takenAt").(string)
	if m.TakenAt, err = time.Parse(time.RFC3339, taken); err != nil {
		m.TakenAt = time.Time{}
		l.add("manifest.json", fmt.Errorf("takenAt %q is no time", taken))
	}
	m.TakenAt = m.TakenAt.UTC()
	return m, nil
}

// texts returns the strings in a JSON array.
func texts(v any) (all []string) {
	list, _ := v.([]any)
	for _, e := range list {
		if text, ok := e.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

// readSmall reads a JSON file of at most 1 MiB.
func readSmall(ctx context.Context, t tree, name string) (any, error) {
	b, err := t.open(ctx, name)
	if err != nil {
		return nil, err
	}
	return decode.Read(io.NewSectionReader(b, 0, b.Size()), decode.Limits{Total: 1 << 20, Depth: 100})
}
