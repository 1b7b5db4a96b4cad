package routing

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// A Balanced is the result of balancing: how the requests to a cluster are
// divided among its endpoints.
type Balanced struct {
	Members []Member // all endpoints of the cluster; Share is 0 for an endpoint that gets no requests
	Reason  string   // the reason why no endpoint gets requests; empty if at least one endpoint does
	Why     string   // an explanation for users of how the endpoints were chosen
	// the part of the requests that fail because no endpoint accepts them; Lost
	// and all shares add up to 1
	Lost float64

	Unsupported []string
}

// These are the reasons why no endpoint of a cluster gets a request.
const (
	NoEndpoints  = "NO_ENDPOINTS"
	AllUnhealthy = "ALL_UNHEALTHY"
	SubsetEmpty  = "SUBSET_EMPTY"
)

// A Member is one endpoint of a cluster.
type Member struct {
	Endpoint any     // the endpoint's object in the document
	Share    float64 // the part of the cluster's requests that are sent to the endpoint, from 0 to 1
	Health   string  // the state of the endpoint from Envoy's view: "healthy", "degraded", "unhealthy" or "draining"

	weight         float64
	priority       int
	locality       string
	localityWeight float64 // the weight of the endpoint's locality; 0 if it has none
}

// These are the states of an endpoint from Envoy's view.
const (
	healthy   = "healthy"
	degraded  = "degraded"
	unhealthy = "unhealthy"
	draining  = "draining" // Envoy ignores the endpoint and sends it no requests
)

// A Zone has the proxy's locality, and the endpoints of the cluster to which the
// proxy itself belongs.
type Zone struct {
	Locality any   // the proxy's locality, an object {region, zone, subZone}
	Local    []any // the endpoints of the proxy's own cluster
}

// balancing computes the shares of one cluster's endpoints.
type balancing struct {
	*document.Reader
	cluster document.Message
	policy  policy
	zone    func() (*Zone, error)
	out     *Balanced

	factor float64 // the overprovisioning factor in percent
	all    int     // the number of endpoints of the whole cluster, before a subset is selected
	known  bool    // true if the weights of the localities are known
}

// Balance computes which share of a cluster's requests each endpoint gets.
// criteria is the metadata (of envoy.lb) that the route requires of the endpoints.
// Balance calls zone only if the cluster may use zone aware routing. If zone is
// nil or returns a nil Zone, Balance assumes that the cluster doesn't use it.
func Balance(ctx context.Context, cluster any, endpoints []any, criteria *object.Object, zone func() (*Zone, error)) (*Balanced, error) {
	b := &balancing{Reader: document.NewReader(ctx), out: &Balanced{}, zone: zone, factor: defaultOverprovisioning, all: len(endpoints)}
	b.cluster = b.Message(cluster)
	b.policy = b.policyOf(b.cluster)
	checks := b.cluster.Has("outlierDetection") || len(b.cluster.List("healthChecks")) > 0
	for _, e := range endpoints {
		b.out.Members = append(b.out.Members, b.newMember(e, checks))
		if n := b.Message(e).Number("overprovisioningFactor"); n > 0 {
			b.factor, b.known = float64(n), true
		}
	}
	if len(endpoints) == 0 {
		b.out.Reason, b.out.Lost = NoEndpoints, 1
		return b.out, b.Err
	}
	chosen := b.subset(criteria)
	if b.out.Reason == "" {
		b.share(chosen)
	}
	b.out.Lost = 1
	for _, m := range b.out.Members {
		b.out.Lost -= m.Share
	}
	if b.out.Lost < 1e-9 { // a number this small is a rounding error
		b.out.Lost = 0
	}
	if b.policy.hashes && b.out.Why == "" && len(endpoints) > 1 {
		b.out.Why = "one of them, chosen by a hash of the request; the shares are of all requests"
	}
	if b.out.Reason == "" && b.out.Lost > 1-1e-9 {
		b.out.Reason = AllUnhealthy
	}
	return b.out, b.Err
}

func (b *balancing) newMember(endpoint any, checks bool) Member {
	m := b.Message(endpoint)
	h := Member{Endpoint: endpoint, Health: healthy, weight: 1, priority: int(m.Number("priority"))}
	if w := m.Number("weight"); w > 0 && !b.policy.unweighted {
		h.weight = float64(w)
	}
	switch m.Text("health") {
	case "UNHEALTHY", "TIMEOUT":
		h.Health = unhealthy
	case "DEGRADED":
		h.Health = degraded
	case "DRAINING":
		h.Health = draining
	}
	if checks && h.Health != draining && m.Text("outlier") == "FAILED" {
		h.Health = unhealthy
	}
	h.locality = b.localityOf(m.Sub("locality"))
	h.localityWeight = float64(m.Number("localityWeight"))
	return h
}

// A policy contains the settings of a cluster's load balancer.
type policy struct {
	byLocality bool             // true if the requests are divided among localities by their weights
	zoneAware  document.Message // the ZoneAwareLbConfig, by which requests stay in the proxy's own locality
	hashes     bool             // true if a hash of the request selects the endpoint
	unweighted bool             // true if the load balancer ignores the weights of endpoints

	failsInPanic     bool
	subsets          document.Message // the LbSubsetConfig; the zero message if the cluster has no subsets
	subsetByLocality bool             // true if localities keep their weights inside a subset
	// true if the weight of a locality is multiplied by the part of its
	// endpoints that are in the subset
	scalesLocality bool
}

// policyOf reads the load balancing policy of a cluster. The field
// load_balancing_policy takes precedence over the older fields.
func (b *balancing) policyOf(cluster document.Message) policy {
	common := cluster.Sub("commonLbConfig")
	p := policy{
		byLocality: common.Has("localityWeightedLbConfig"), zoneAware: common.Sub("zoneAwareLbConfig"),
		subsets: cluster.Sub("lbSubsetConfig"),
	}
	switch cluster.Text("lbPolicy") {
	case "RING_HASH", "MAGLEV":
		p.hashes = true
	case "RANDOM":
		p.unweighted = true
	}
	if all := cluster.Sub("loadBalancingPolicy").List("policies"); len(all) > 0 {
		p = policy{}
		b.extension(all[0].Sub("typedExtensionConfig"), &p)
	}
	p.failsInPanic = p.zoneAware.Flag("failTrafficOnPanic")
	p.subsetByLocality, p.scalesLocality = p.subsets.Flag("localityWeightAware"), p.subsets.Flag("scaleLocalityWeight")
	return p
}

// extension reads a load balancing policy that is configured as an extension, and
// the policy inside it.
func (b *balancing) extension(e document.Message, p *policy) {
	config := e.Sub("typedConfig")
	kind := config.Text("@type")
	kind = kind[strings.LastIndexByte(kind, '.')+1:]
	locality := config.Sub("localityLbConfig")
	p.byLocality = p.byLocality || locality.Has("localityWeightedLbConfig")
	if locality.Has("zoneAwareLbConfig") {
		p.zoneAware = locality.Sub("zoneAwareLbConfig")
	}
	inner := ""
	switch kind {
	case "Random":
		p.unweighted = true
	case "RoundRobin", "LeastRequest", "ClusterProvided", "ClientSideWeightedRoundRobin":
	case "RingHash", "Maglev":
		p.hashes = true
		p.byLocality = p.byLocality || config.Has("localityWeightedLbConfig")
	case "WrrLocality":
		p.byLocality, inner = true, "endpointPickingPolicy"
	case "Subset":
		p.subsets, inner = config, "subsetLbPolicy"
	case "OverrideHost":
		inner = "fallbackPolicy"
	default:
		b.out.Unsupported = append(b.out.Unsupported, "load balancing policy "+e.Text("name"))
	}
	if inner != "" {
		if all := config.Sub(inner).List("policies"); len(all) > 0 {
			b.extension(all[0].Sub("typedExtensionConfig"), p)
		}
	}
}
