package transport

import (
	"context"
	"io"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A dump is a [Source] that consists of one answer of one proxy: its config dump or
// its /clusters. It accepts any name for the proxy, because the real name is in the
// dump or isn't known at all.
type dump struct {
	closers
	kind string
	body Body
}

func (d *dump) Manifest() Manifest                                   { return Manifest{Kind: d.kind} }
func (d *dump) Faults() []*mesh.Fault                                { return nil }
func (d *dump) Pilots(context.Context) ([]string, error)             { return nil, nil }
func (d *dump) Proxies(context.Context) ([]string, error)            { return []string{""}, nil }
func (d *dump) List(context.Context, string) (*Body, error)          { return nil, missing{} }
func (d *dump) Pilot(context.Context, string, string) (*Body, error) { return nil, missing{} }

func (d *dump) Fetch(_ context.Context, _, request string, _ mesh.Hint) (*Body, error) {
	held := "config_dump"
	if d.kind == KindClusters {
		held = "clusters"
	}
	if name, _, _ := strings.Cut(request, "?"); name != held {
		return nil, missing{}
	}
	body := d.body
	return &body, nil
}

// dumpKind returns the kind of source that a JSON document is, if it is an answer of
// a proxy, and "" otherwise. It reads no more than necessary.
func dumpKind(r io.Reader) (kind string, s sketch) {
	s = sketchJSON(r, func(name string) bool { return kindByMember(name) != "" })
	if len(s.names) > 0 {
		kind = kindByMember(s.names[len(s.names)-1])
	}
	return kind, s
}

func kindByMember(name string) string {
	switch name {
	case "configs":
		return KindConfigDump
	case "workloads":
		return KindZtunnelDump
	case "cluster_statuses":
		return KindClusters
	}
	return ""
}
