package envoy

import (
	"context"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

var clusterCatalog = catalog{
	section: mesh.Clusters, part: "ClustersConfigDump",
	lists: []list{
		{"staticClusters", stateStatic}, {"dynamicActiveClusters", stateActive}, {"dynamicWarmingClusters", stateWarming},
	},
	field: "cluster", name: "name", inside: &decode.Node{Shallow: true},
	make: clusterFields, needs: mesh.Needs("Cluster"),
	noted: []decode.Field{
		{Name: "type", Node: &decode.Node{}}, {Name: "clusterType", Node: &decode.Node{Raw: true}},
		{Name: "metadata", Node: only("filterMetadata", only("istio", only("config", &decode.Node{})))},
	},
	whole: []string{"type", "clusterType"},
	masked: &masked{
		list: 1, others: "static_clusters,dynamic_warming_clusters",
		always:  "last_updated,error_state",
		message: "envoy.config.cluster.v3.Cluster",
	},
}

// only returns a node that reads one member of an object with the node n and skips
// all other members.
func only(member string, n *decode.Node) *decode.Node {
	return &decode.Node{Fields: []decode.Field{{Name: member, Node: n}}}
}

// clusterFields returns the fields of a cluster. If the cluster's name isn't in
// Istio's format, the fields that are derived from the name are missing, and so is
// the DestinationRule.
func clusterFields(_ *Proxy, r *resource) *object.Object {
	m := r.document(5)
	n, ok := parseClusterName(r.name)
	if !ok {
		return m
	}
	m.Set("direction", n.direction)
	if n.port > 0 {
		m.Set("port", n.port)
	}
	if n.subset != "" {
		m.Set("subset", n.subset)
	}
	if n.fqdn != "" {
		m.Set("fqdn", n.fqdn)
	}
	m.Set("destinationRule", istioResource(m.Get("metadata"), nil))
	return m
}

// A clusterName is the parsed form of the name that Istio gives to a cluster.
type clusterName struct {
	direction string // "outbound", "inbound" or "inbound-vip"
	port      int
	subset    string
	fqdn      string // the host name of the service; empty for the sidecar's own ports
}

// directions are the possible first words in Istio's cluster names (pilot/pkg/model,
// Istio 1.31).
var directions = map[string]bool{"outbound": true, "inbound": true, "inbound-vip": true}

// parseClusterName parses "direction|port|subset|host". In the names of clusters
// that a gateway selects by SNI, the separator is "_." instead of "|". The host may
// contain the separator.
func parseClusterName(name string) (n clusterName, ok bool) {
	sep := "|"
	if strings.HasPrefix(name, "outbound_.") || strings.HasPrefix(name, "inbound_.") {
		sep = "_."
	}
	words := strings.SplitN(name, sep, 4)
	if len(words) < 4 {
		return n, false
	}
	port, err := strconv.ParseUint(words[1], 10, 16)
	if err != nil || !directions[words[0]] {
		return n, false // the name isn't in Istio's format
	}
	return clusterName{words[0], int(port), words[2], words[3]}, true
}

// istioResource returns the Istio resource from which istiod generated a piece of
// Envoy's configuration, as "name.namespace", or as "httproute/name.namespace" for a
// route of the Gateway API. It reads the metadata that istiod adds. The value is
// lazy; it is null if there is no such metadata. name is the piece's own name, or
// nil.
func istioResource(metadata, name any) any {
	if metadata == nil {
		return nil
	}
	return mesh.Later(func(ctx context.Context) (any, error) {
		v := metadata
		for _, key := range []string{"filterMetadata", "istio", "config"} {
			var err error
			if v, err = mesh.Get(ctx, v, key); err != nil {
				return nil, err
			}
		}
		named, err := mesh.Force(ctx, name)
		if err != nil {
			return nil, err
		}
		return resourceName(v, named), nil
	})
}

// resourceName converts "/apis/networking.istio.io/v1/namespaces/<ns>/<kind>/<name>"
// to "name.namespace". It returns null for any other path. Old versions of Istio
// omit the domain of the API group.
func resourceName(path, name any) any {
	s, _ := path.(string)
	own, _ := name.(string)
	o, ok := mesh.OriginOf(s, own)
	switch group := strings.Split(s, "/"); {
	case !ok || group[2] != "networking.istio.io" && group[2] != "networking":
		return nil
	case o.Kind == "httproute":
		return o.String()
	}
	return o.ID()
}
