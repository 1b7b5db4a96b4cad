package xds

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Node is what a proxy tells istiod about itself, as in the node of Envoy's
// bootstrap (https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/base.proto,
// message Node).
type Node struct {
	ID       string         // type~IP~pod.namespace~domain
	Cluster  string         // the service cluster
	Metadata map[string]any // Istio's metadata, as JSON
	Region   string
	Zone     string
	SubZone  string
}

// Proxy returns pod.namespace, the third part of the id, or "" if the id isn't one
// of Istio's.
func (n *Node) Proxy() string {
	if words := strings.Split(n.ID, "~"); len(words) == 4 {
		return words[2]
	}
	return ""
}

// Type returns the type of the proxy: "sidecar", "router" or "waypoint".
func (n *Node) Type() string {
	kind, _, _ := strings.Cut(n.ID, "~")
	return kind
}

// wire returns the node in wire format.
func (n *Node) wire() []byte {
	var locality []byte
	for i, s := range []string{n.Region, n.Zone, n.SubZone} {
		locality = appendText(locality, protowire.Number(i+1), s)
	}
	const id, cluster, metadata, where, agent = 1, 2, 3, 4, 6 // the numbers of the fields in envoy.config.core.v3.Node
	b := appendText(nil, id, n.ID)
	b = appendText(b, cluster, n.Cluster)
	b = appendBytes(b, metadata, structOf(n.Metadata))
	b = appendBytes(b, where, locality)
	return appendText(b, agent, "envoy")
}

// structOf returns an object as a google.protobuf.Struct in wire format. The values
// are those of decoded JSON.
func structOf(m map[string]any) (b []byte) {
	const entry, key, content = 1, 1, 2
	for _, k := range slices.Sorted(maps.Keys(m)) {
		e := appendBytes(nil, key, []byte(k))
		b = appendBytes(b, entry, appendBytes(e, content, valueOf(m[k])))
	}
	return b
}

// valueOf returns a value as a google.protobuf.Value in wire format.
func valueOf(v any) (b []byte) {
	const null, number, text, boolean, object, list = 1, 2, 3, 4, 5, 6 // the numbers of the fields
	double := func(f float64) []byte {
		return protowire.AppendFixed64(protowire.AppendTag(nil, number, protowire.Fixed64Type), math.Float64bits(f))
	}
	switch v := v.(type) {
	case string:
		return appendBytes(nil, text, []byte(v))
	case bool:
		return protowire.AppendVarint(protowire.AppendTag(nil, boolean, protowire.VarintType), protowire.EncodeBool(v))
	case float64:
		return double(v)
	case json.Number:
		f, _ := v.Float64() // a Struct has no other numbers
		return double(f)
	case map[string]any:
		return appendBytes(nil, object, structOf(v))
	case []any:
		var elements []byte
		for _, e := range v {
			elements = appendBytes(elements, 1, valueOf(e))
		}
		return appendBytes(nil, list, elements)
	}
	return protowire.AppendVarint(protowire.AppendTag(nil, null, protowire.VarintType), 0)
}

// appendText appends a text field, unless it is empty.
func appendText(b []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return appendBytes(b, field, []byte(s))
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}
