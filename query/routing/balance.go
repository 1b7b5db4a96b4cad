package routing

import (
	"context"

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
	*reader
	cluster message
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
	b := &balancing{reader: &reader{ctx: ctx}, out: &Balanced{}, zone: zone, factor: usualFactor, all: len(endpoints)}
	b.cluster = b.message(cluster)
	b.policy = b.policyOf(b.cluster)
	checks := b.cluster.has("outlierDetection") || len(b.cluster.list("healthChecks")) > 0
	for _, e := range endpoints {
		b.out.Members = append(b.out.Members, b.host(e, checks))
		if n := b.message(e).number("overprovisioningFactor"); n > 0 {
			b.factor, b.known = float64(n), true
		}
	}
	if len(endpoints) == 0 {
		b.out.Reason, b.out.Lost = NoEndpoints, 1
		return b.out, b.err
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
	return b.out, b.err
}

func (b *balancing) host(endpoint any, checks bool) Member {
	m := b.message(endpoint)
	h := Member{Endpoint: endpoint, Health: healthy, weight: 1, priority: int(m.number("priority"))}
	if w := m.number("weight"); w > 0 && !b.policy.unweighted {
		h.weight = float64(w)
	}
	switch m.text("health") {
	case "UNHEALTHY", "TIMEOUT":
		h.Health = unhealthy
	case "DEGRADED":
		h.Health = degraded
	case "DRAINING":
		h.Health = draining
	}
	if checks && h.Health != draining && m.text("outlier") == "FAILED" {
		h.Health = unhealthy
	}
	h.locality = b.localityOf(m.sub("locality"))
	h.ofZone = float64(m.number("localityWeight"))
	return h
}
