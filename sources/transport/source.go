package transport

import (
	"context"
	"io"
	"io/fs"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Source returns the responses of a mesh to requests. Several goroutines may
// call its methods at once. Names are sorted.
//
// If a source doesn't have a response, errors.Is(err, fs.ErrNotExist) is true for
// the error. An error doesn't name the request or the process, because the caller
// adds them.
type Source interface {
	// Manifest describes the source: its kind, its time and its cluster.
	Manifest() Manifest

	// Faults returns the problems so far that didn't prevent the source from
	// working, in the order in which they occurred. A fault's Subject is the name
	// of the source. Its Section is the name of the file, if the fault is about
	// one. A fault that wraps fs.ErrNotExist means that no data is lost, for
	// example if a snapshot has no manifest. A recorded source has all its faults
	// once it is open. A live source may have more after a response that is
	// incomplete (pods of some namespaces only), so call Faults again after such a
	// response.
	Faults() []*mesh.Fault

	// Pilots returns the names of the istiods in the form "pod.namespace".
	Pilots(ctx context.Context) ([]string, error)

	// Proxies returns the names of the proxies that can be requested, in the form
	// "pod.namespace". A single config dump has one proxy whose name is empty: its
	// real name is in its bootstrap.
	Proxies(ctx context.Context) ([]string, error)

	// Pilot returns the response of an istiod. Endpoints are "syncz", "adsz",
	// "configz", …, "config_dump?proxyID=pod.namespace",
	// "edsz?proxyID=pod.namespace", "version".
	Pilot(ctx context.Context, pilot, endpoint string) (*Body, error)

	// Fetch returns the response of a proxy's admin port. Requests are
	// "config_dump", "clusters", "listeners", "certs", "server_info", "stats",
	// "logging", "ready". A source may use the hint to fetch less. It may always
	// return more than the hint requests.
	Fetch(ctx context.Context, proxy, request string, hint mesh.Hint) (*Body, error)

	// List returns the objects of a Kubernetes resource in all namespaces, for
	// example of "pods" or "virtualservices.networking.istio.io". A JSON response
	// is a v1 List. A YAML response consists of documents that are objects of the
	// resource or Lists of them. Pods may be in Protobuf.
	List(ctx context.Context, resource string) (*Body, error)

	// Close closes the source. Afterwards its bodies can't be read.
	Close() error
}

// A Body is a response as it was received, before any parsing. Several goroutines
// may read it until its source is closed.
type Body struct {
	decode.Bytes
	Name string // the name of the body in errors, for example "config_dump.json"
	Form Form
}

// Unload frees the memory of a body that has been read and will probably not be read
// again. The body can still be read later. Bodies in files need no memory.
func (b *Body) Unload() {
	if s, ok := b.Bytes.(*Spool); ok && s.Size() > pieceSize {
		s.Unload()
	}
}

// Form is the encoding of a body.
type Form int

// These are the forms of a body. Text is any format that a process defines
// itself, such as that of Envoy's /clusters without format=json, or of a version.
// Protobuf is a list of pods as the API server encodes it
// (k8s.io.api.core.v1.PodList in its envelope).
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

// missing is the error for a response that a source doesn't have.
type missing struct {
	why string // the reason why the response is missing, for example that the archive is truncated; may be empty
}

func (m missing) Error() string {
	if m.why != "" {
		return "not in the snapshot: " + m.why
	}
	return "not in the snapshot"
}

func (missing) Is(target error) bool { return target == fs.ErrNotExist }

// A dump is a [Source] that consists of a single response of one proxy: its config
// dump or its /clusters. It accepts any name for the proxy, because the proxy's
// real name is either inside the dump or unknown.
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

// dumpKind returns the kind of source for a JSON document that is a proxy's
// response, and "" for any other document. It reads no more of the document than
// necessary.
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
