package transport

import (
	"context"
	"io"
	"io/fs"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Source answers requests about a mesh. Several goroutines may call its methods at
// once. Names are sorted.
//
// If a source doesn't have an answer, the error fulfils errors.Is(err,
// fs.ErrNotExist). Errors state only the fact, because the caller knows, and adds,
// what was requested from which process.
type Source interface {
	// Manifest describes the source: its kind, its time and its cluster.
	Manifest() Manifest

	// Faults returns the problems so far that didn't prevent the source from
	// working, in the order in which they occurred. Subject is the name of the
	// source, and Section that of the file, if the fault is about one. After a fault
	// that is fs.ErrNotExist nothing is lost, for example if a snapshot has no
	// manifest. A recorded source has all its faults once it is open. A live one may
	// have more later, if an answer was only a part of the requested one (pods of
	// some namespaces): call Faults again after the answer.
	Faults() []*mesh.Fault

	// Pilots returns the names of the istiods, "pod.namespace".
	Pilots(ctx context.Context) ([]string, error)

	// Proxies returns the names of the proxies that can be asked, "pod.namespace". A
	// single config dump has one proxy, with an empty name: the real name is in its
	// bootstrap.
	Proxies(ctx context.Context) ([]string, error)

	// Pilot returns an answer of a Pilot. Endpoints are "syncz", "adsz", "configz",
	// …, "config_dump?proxyID=pod.namespace", "edsz?proxyID=pod.namespace",
	// "version".
	Pilot(ctx context.Context, pilot, endpoint string) (*Body, error)

	// Fetch returns an answer of a proxy's admin port. Requests are "config_dump",
	// "clusters", "listeners", "certs", "server_info", "stats", "logging", "ready".
	// A source may use the hint to fetch less. It may always return more than was
	// requested.
	Fetch(ctx context.Context, proxy, request string, hint mesh.Hint) (*Body, error)

	// List returns the objects of a Kubernetes resource in all namespaces, for
	// example "pods" or "virtualservices.networking.istio.io". In JSON the answer is
	// a v1 List. In YAML it is documents that are Lists or objects, all of that
	// resource. Pods may be in Protobuf.
	List(ctx context.Context, resource string) (*Body, error)

	// Close closes the source. Its bodies can't be read afterwards.
	Close() error
}

// A Body is an answer as it was received, before any parsing. Several goroutines may
// read it until its source is closed.
type Body struct {
	decode.Bytes
	Name string // the name of the body in errors, for example "config_dump.json"
	Form Form
}

// Form is the encoding of a body.
type Form int

// The forms of a body. Text is any format of the process itself, such as Envoy's
// /clusters without format=json, or a version alone. Protobuf is a list of pods as
// the API server encodes it (k8s.io.api.core.v1.PodList in its envelope).
const (
	JSON Form = iota
	Text
	YAML
	Protobuf
)

// String returns the name of the form: "JSON", "text", "YAML" or "Protobuf".
func (f Form) String() string {
	switch f {
	case JSON:
		return "JSON"
	case Text:
		return "text"
	case YAML:
		return "YAML"
	case Protobuf:
		return "Protobuf"
	}
	return "unknown form"
}

// missing is the error for an answer that a source doesn't have.
type missing struct {
	why string // the reason why the answer is missing, for example that the archive is cut short; may be empty
}

func (m missing) Error() string {
	if m.why != "" {
		return "not in the snapshot: " + m.why
	}
	return "not in the snapshot"
}

func (missing) Is(target error) bool { return target == fs.ErrNotExist }

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
