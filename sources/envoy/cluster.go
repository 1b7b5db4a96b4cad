package envoy

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/meshq/kubectl-meshq/sources/decode"
	"github.com/meshq/kubectl-meshq/sources/mesh"
	"github.com/meshq/kubectl-meshq/sources/object"
)

var clusterCatalog = catalog{
	section: mesh.Clusters, kind: "ClustersConfigDump",
	lists: []list{
		{"staticClusters", stateStatic}, {"dynamicActiveClusters", stateActive}, {"dynamicWarmingClusters", stateWarming},
	},
	field: "cluster", name: "name", inside: &decode.Node{Shallow: true},
	facts: []string{"direction", "port", "subset", "fqdn", "destinationRule"},
	noted: []decode.Field{
		{Name: "type", Node: &decode.Node{}}, {Name: "clusterType", Node: &decode.Node{Raw: true}},
		{Name: "metadata", Node: only("filterMetadata", only("istio", only("config", &decode.Node{})))},
	},
	whole: []string{"type", "clusterType"},
}

// only is the node of an object of which one member is wanted.
func only(member string, n *decode.Node) *decode.Node {
	return &decode.Node{Fields: []decode.Field{{Name: member, Node: n}}}
}

func (p *Proxy) clusters(ctx context.Context) (any, error) {
	c := clusterCatalog
	if !p.takesNote(&c) {
		c.noted, c.whole = nil, nil
	}
	all, err := p.resources(ctx, c)
	if err != nil {
		return nil, err
	}
	return p.objects(&c, "Cluster", all, clusterFields), nil
}

// takesNote tells whether what the pass can note is going to be looked at: also
// where nobody knows.
func (p *Proxy) takesNote(c *catalog) bool {
	look, known := p.Looks[c.section]
	return !known || slices.ContainsFunc(look.Fields, func(path string) bool {
		field, _, _ := strings.Cut(path, ".")
		return field == "destinationRule" || slices.Contains(c.whole, field)
	})
}

// clusterFields are a cluster's fields. What its name doesn't say isn't there,
// and neither is the DestinationRule of a cluster that is no service's.
func clusterFields(r *resource) *object.Object {
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
	m.Set("destinationRule", origin(m.Get("metadata")))
	return m
}

// A clusterName is what Istio writes into the name of a service's cluster.
type clusterName struct {
	direction string // outbound, inbound, inbound-vip
	port      int
	subset    string
	fqdn      string // empty for a sidecar's own ports
}

// directions are the first words of Istio's names (pilot/pkg/model, Istio 1.31).
var directions = map[string]bool{"outbound": true, "inbound": true, "inbound-vip": true}

// parseClusterName reads "direction|port|subset|host", or the same with "_."
// between the words, which is how a gateway calls the clusters it takes by
// SNI. A host may have the separator in it.
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
		return n, false // of another vocabulary
	}
	return clusterName{words[0], int(port), words[2], words[3]}, true
}

// origin is the Istio resource that a piece of Envoy's configuration was made
// of, "name.namespace", which Istio leaves in its metadata; null where it left
// none.
func origin(metadata any) any {
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
		return resourceName(v), nil
	})
}

// resourceName reads "/apis/networking.istio.io/v1/namespaces/<ns>/<kind>/<name>";
// old Istios leave out the group's domain.
func resourceName(path any) any {
	s, _ := path.(string)
	words := strings.Split(s, "/")
	if len(words) != 8 || words[0] != "" || words[1] != "apis" || words[4] != "namespaces" {
		return nil
	}
	if words[2] != "networking.istio.io" && words[2] != "networking" {
		return nil
	}
	return words[7] + "." + words[5]
}
