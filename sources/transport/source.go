package transport

import (
	"context"
	"io/fs"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
)

// A Source answers what is asked of a mesh. Its methods may be called by
// several goroutines at once. Names are sorted.
//
// What a source does not have is an error for which
// errors.Is(err, fs.ErrNotExist) holds; errors state the fact alone, the
// caller knows (and says) what it had asked for and of whom.
type Source interface {
	// Manifest says what the source is, of when, of which cluster.
	Manifest() Manifest

	// Faults gives what was met so far and did not end the source, in the
	// order met: Subject is the source's name, Section the file's, if it is
	// about one. A fault that is fs.ErrNotExist lost nothing: a snapshot
	// without its manifest. Of a recorded source all are there once it is
	// open; of a live one there are more when an answer was only a part of
	// what was asked for (pods of some namespaces): look again after it came.
	Faults() []*mesh.Fault

	// Pilots names the istiods, "pod.namespace".
	Pilots(ctx context.Context) ([]string, error)

	// Proxies names the proxies that can be asked, "pod.namespace". A lone
	// config dump has one, with the empty name: who it is of is in its
	// bootstrap.
	Proxies(ctx context.Context) ([]string, error)

	// Pilot gives an answer of a Pilot: "syncz", "adsz", "configz", …,
	// "config_dump?proxyID=pod.namespace", "edsz?proxyID=pod.namespace",
	// "version".
	Pilot(ctx context.Context, pilot, endpoint string) (*Body, error)

	// Fetch gives an answer of a proxy's admin port: "config_dump",
	// "clusters", "listeners", "certs", "server_info", "stats", "logging",
	// "ready". A source may use the hint to ask for less; it may always
	// answer more than was asked for.
	Fetch(ctx context.Context, proxy, request string, hint mesh.Hint) (*Body, error)

	// List gives the objects of a Kubernetes resource in all namespaces:
	// "pods", "virtualservices.networking.istio.io". In JSON it is a v1 List;
	// in YAML documents that are Lists or objects, all of that resource. Pods
	// may be in Protobuf.
	List(ctx context.Context, resource string) (*Body, error)

	// Close ends the source. Its bodies can't be read afterwards.
	Close() error
}

// A Body is an answer as it came, unread. It stays readable until its source
// is closed, by several goroutines at once.
type Body struct {
	decode.Bytes
	Name string // for errors: "config_dump.json"
	Form Form
}

// Form says how a body is to be read.
type Form int

// The forms of a body. Text is the speaker's own: Envoy's /clusters without
// format=json, a bare word of a version. Protobuf is a list of pods as the API
// server encodes it (k8s.io.api.core.v1.PodList in its envelope).
const (
	JSON Form = iota
	Text
	YAML
	Protobuf
)

// String names the form: "JSON", "text", "YAML", "Protobuf".
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

// missing is the error of what a source does not have.
type missing struct {
	why string // more about it: the archive is cut short; may be empty
}

func (m missing) Error() string {
	if m.why != "" {
		return "not in the snapshot: " + m.why
	}
	return "not in the snapshot"
}

func (missing) Is(target error) bool { return target == fs.ErrNotExist }
