package routing

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Balanced says how the requests of a cluster are shared among its endpoints.
type Balanced struct {
	Members []Member // all endpoints of the cluster; Share is 0 for those that get no requests
	Reason  string   // why no endpoint gets requests; empty if one does
	Why     string   // how the endpoints were chosen, for people
	Lost    float64  // the part of the requests that fails because no endpoint takes it; Lost and all shares add up to 1

	Unsupported []string
}

// The reasons why no endpoint of a cluster gets a request.
const (
	NoEndpoints  = "NO_ENDPOINTS"
	AllUnhealthy = "ALL_UNHEALTHY"
	SubsetEmpty  = "SUBSET_EMPTY"
)

// A Member is one endpoint of a cluster.
type Member struct {
	Endpoint any     // the endpoint, as in the document
	Share    float64 // the endpoint's part of the cluster's requests, 0 to 1
	Health   string  // "healthy", "degraded", "unhealthy" or "draining", as Envoy counts the endpoint

	weight         float64
	priority       int
	locality       string
	localityWeight float64 // the weight of its locality; 0 if it has none
}

// The states in which Envoy counts an endpoint.
const (
	healthy   = "healthy"
	degraded  = "degraded"
	unhealthy = "unhealthy"
	draining  = "draining" // not counted and gets no requests
)

// A Zone is the proxy's locality and the endpoints of the cluster that the
// proxy itself belongs to.
type Zone struct {
	Locality any   // an object {region, zone, subZone}
	Local    []any // the endpoints of the proxy's own cluster
}

// balancing computes the shares of one cluster's endpoints.
type balancing struct {
	*document.Reader
	cluster document.Message
	policy  policy
	zone    func() (*Zone, error)
	out     *Balanced

	factor float64 // the overprovisioning factor, in percent
	all    int     // the number of endpoints of the whole cluster, before a subset is selected
	known  bool    // the weights of localities are known
}

// Balance computes the shares of a cluster's endpoints. criteria is the
// metadata (of envoy.lb) that the route requires of the endpoints. zone is
// called only if the cluster may use zone aware routing; if zone is nil or
// returns a nil Zone, requests are not routed by zone.
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
	if b.out.Lost < 1e-9 { // a rounding error
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

// policy holds the settings of a cluster's load balancer.
type policy struct {
	byLocality bool             // localities take requests by their weights
	zoneAware  document.Message // ZoneAwareLbConfig, which keeps requests within the proxy's own locality
	hashes     bool             // the endpoint is chosen by a hash of the request
	unweighted bool             // endpoints are chosen at random, whatever their weights

	failsInPanic     bool
	subsets          document.Message // LbSubsetConfig; the zero message if there are no subsets
	subsetByLocality bool             // localities keep their weights within a subset
	scalesLocality   bool             // a locality's weight is scaled by the part of its endpoints that is in the subset
}

// policyOf reads the load balancing policy of a cluster. load_balancing_policy
// takes precedence over the older fields.
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

// extension reads a load balancing policy that is configured as an extension,
// and the policy nested in it.
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
