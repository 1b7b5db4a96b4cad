package routing

import (
	"context"
	"strings"

	"github.com/meshq/kubectl-meshq/query/document"
	"github.com/meshq/kubectl-meshq/sources/object"
)

// Balanced is which endpoints of a cluster requests go to.
type Balanced struct {
	Members []Member // all of the cluster's, those that take nothing with share 0
	Reason  string   // why nothing goes anywhere; empty where something does
	Why     string   // how the endpoints were chosen, in words
	Lost    float64  // the part of the requests that fails for want of an endpoint; with the shares it adds up to 1

	Unsupported []string
}

// The reasons why a cluster has no endpoint for a request.
const (
	NoEndpoints  = "NO_ENDPOINTS"
	AllUnhealthy = "ALL_UNHEALTHY"
	SubsetEmpty  = "SUBSET_EMPTY"
)

// A Member is one endpoint of a cluster.
type Member struct {
	Endpoint any     // as it is in the document
	Share    float64 // of the cluster's requests
	Health   string  // "healthy", "degraded", "unhealthy" or "draining", as Envoy counts it

	weight   float64
	priority int
	locality string
	ofZone   float64 // the weight of its locality; 0: it has none
}

// How Envoy counts an endpoint.
const (
	healthy   = "healthy"
	degraded  = "degraded"
	unhealthy = "unhealthy"
	draining  = "draining" // it is neither counted nor sent to
)

// A Zone is where the proxy is, among the endpoints of its own cluster.
type Zone struct {
	Locality any   // {region, zone, subZone}
	Local    []any // the endpoints of the cluster that the proxy belongs to
}

// balancing is one cluster's endpoints being decided.
type balancing struct {
	*document.Reader
	cluster document.Message
	policy  policy
	zone    func() (*Zone, error)
	out     *Balanced

	factor float64 // by which a priority's healthy endpoints are overprovisioned
	all    int     // how many endpoints the whole cluster has, of which a subset may be left
	known  bool    // whether the weights of localities are known
}

// Balance gives the shares of a cluster's endpoints. Criteria are the metadata
// (of envoy.lb) that the route asks for. Zone is asked where requests are kept
// within the proxy's own locality; nil, or a nil Zone: they never are.
func Balance(ctx context.Context, cluster any, endpoints []any, criteria *object.Object, zone func() (*Zone, error)) (*Balanced, error) {
	b := &balancing{Reader: document.NewReader(ctx), out: &Balanced{}, zone: zone, factor: usualFactor, all: len(endpoints)}
	b.cluster = b.Message(cluster)
	b.policy = b.policyOf(b.cluster)
	checks := b.cluster.Has("outlierDetection") || len(b.cluster.List("healthChecks")) > 0
	for _, e := range endpoints {
		b.out.Members = append(b.out.Members, b.host(e, checks))
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
	if b.out.Lost < 1e-9 { // of rounding
		b.out.Lost = 0
	}
	if b.policy.hashes && b.out.Why == "" && len(endpoints) > 1 {
		b.out.Why = "one of them, by a hash of the request: these are the parts of all"
	}
	if b.out.Reason == "" && b.out.Lost > 1-1e-9 {
		b.out.Reason = AllUnhealthy
	}
	return b.out, b.Err
}

func (b *balancing) host(endpoint any, checks bool) Member {
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
	h.ofZone = float64(m.Number("localityWeight"))
	return h
}

// policy is how a cluster's load balancer chooses among endpoints that are fit.
type policy struct {
	byLocality bool             // by the weights of localities
	zoneAware  document.Message // what keeps requests within the proxy's own locality
	hashes     bool             // by a hash of the request
	unweighted bool             // whatever their own weights: at random

	failsInPanic     bool
	subsets          document.Message // how subsets are made; none: without
	subsetByLocality bool             // localities count within a subset as well
	scalesLocality   bool             // by how much of a locality the subset has
}

// policyOf reads a cluster's: the newer way of saying it goes before the older.
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

// extension reads a load balancing policy that is an extension, and the one
// within it.
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
