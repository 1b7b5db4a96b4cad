package envoy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// An Identity identifies the proxy to which a config dump belongs. It is read
// from the node with which Envoy was started. Values that the node doesn't
// contain are empty; a control plane other than Istio sets only a few of them.
type Identity struct {
	ID             string // the proxy's id: pod.namespace, or the node id if Istio did not start the Envoy
	NodeID         string
	Name           string // the name of the pod
	Namespace      string
	Type           string // "sidecar", "router" or "waypoint"
	IP             string
	IPs            []string
	Version        string // Istio's version of the proxy
	Envoy          string // Envoy's own version
	ClusterID      string
	Node           string // the name of the Kubernetes node
	Workload       string
	ServiceAccount string
	Labels         *object.Object
	Annotations    *object.Object
	Locality       *object.Object // the locality {region, zone, subZone}
}

// errFound stops the decoder when a pass has found the value that it searches
// for.
var errFound = errors.New("found")

// Identify returns the identity of the proxy to which a config dump belongs. It
// reads only up to the bootstrap, so it also works if the rest of the dump is
// damaged. For a dump without a bootstrap it returns the zero Identity. If doc
// isn't a config dump, it returns an error.
func Identify(ctx context.Context, doc *decode.Document) (Identity, error) {
	var node *object.Object
	isDump := false
	const tagConfigs = tagOwn + 1
	configs := &decode.Node{Walk: true, Visit: tagConfigs, Elem: &decode.Node{Walk: true, Fields: []decode.Field{
		{Name: "bootstrap", Node: &decode.Node{Walk: true, Fields: []decode.Field{
			{Name: "node", Node: &decode.Node{All: true, Visit: tagOwn}},
		}}},
	}}}
	root := &decode.Node{Walk: true, Fields: []decode.Field{{Name: "configs", Node: configs}}}
	_, err := doc.Pass(ctx, 0, -1, envoyFields().message("envoy.admin.v3.ConfigDump"), root, func(tag int, v any, _, _ int64) error {
		if tag == tagConfigs {
			isDump = true
			return nil
		}
		node, _ = v.(*object.Object)
		return errFound
	})
	switch {
	case err == errFound:
		return identity(node), nil
	case err == nil && !isDump:
		err = errors.New("not an Envoy config dump")
	}
	return Identity{}, doc.Named(err)
}

// istioTypes are the first words of the node ids that Istio writes.
var istioTypes = map[string]bool{"sidecar": true, "router": true, "waypoint": true, "ztunnel": true, "agentgateway": true}

// istioNode parses "type~ip~pod.namespace~domain", Istio's form of a node id.
// ok is false for the node ids of other control planes.
func istioNode(id string) (kind, ip, pod string, ok bool) {
	words := strings.Split(id, "~")
	if len(words) != 4 || !istioTypes[words[0]] || words[2] == "" {
		return "", "", "", false
	}
	if _, err := netip.ParseAddr(words[1]); err != nil && words[1] != "" {
		return "", "", "", false
	}
	return words[0], words[1], words[2], true
}

// identity reads the identity of a proxy from the node in Envoy's bootstrap.
func identity(node *object.Object) Identity {
	meta := node.Object("metadata")
	id := Identity{
		Version: meta.Text("ISTIO_VERSION"), ClusterID: meta.Text("CLUSTER_ID"), Namespace: meta.Text("NAMESPACE"),
		Name: meta.Text("NAME"), Node: meta.Text("NODE_NAME"), Workload: meta.Text("WORKLOAD_NAME"),
		ServiceAccount: meta.Text("SERVICE_ACCOUNT"), Labels: meta.Object("LABELS"), Annotations: meta.Object("ANNOTATIONS"),
	}
	if l := node.Object("locality"); l.Len() > 0 {
		id.Locality = l
	}
	if v := node.Object("userAgentBuildVersion").Object("version"); v.Get("majorNumber") != nil {
		id.Envoy = fmt.Sprintf("%v.%v.%v", v.Get("majorNumber"), cmp.Or(v.Get("minorNumber"), any(0)), cmp.Or(v.Get("patch"), any(0)))
	}
	if s := meta.Text("INSTANCE_IPS"); s != "" {
		id.IPs = strings.Split(s, ",")
	}
	id.NodeID = node.Text("id")
	kind, ip, pod, ok := istioNode(id.NodeID)
	if !ok {
		id.ID = id.NodeID
		return id
	}
	id.Type, id.IP, id.ID = kind, ip, pod
	if name, namespace, ok := cutLast(id.ID, "."); ok {
		id.Name, id.Namespace = name, namespace
	}
	return id
}

// Version returns Envoy's own version from the answer to /server_info, whose
// "version" is "commit/1.40.0/Clean/RELEASE/BoringSSL". It returns "" if the
// answer doesn't contain it.
func Version(ctx context.Context, doc *decode.Document) string {
	v, err := doc.Pass(ctx, 0, -1, nil, &decode.Node{Fields: []decode.Field{{Name: "version", Node: &decode.Node{}}}}, nil)
	if err != nil {
		return ""
	}
	m, _ := v.(*object.Object)
	words := strings.Split(m.Text("version"), "/")
	if len(words) < 2 {
		return ""
	}
	return words[1]
}
