package routing

import "strings"

// policy is how a cluster's load balancer chooses among endpoints that are fit.
type policy struct {
	byLocality bool    // by the weights of localities
	zoneAware  message // what keeps requests within the proxy's own locality
	hashes     bool    // by a hash of the request
	unweighted bool    // whatever their own weights: at random

	failsInPanic     bool
	subsets          message // how subsets are made; none: without
	subsetByLocality bool    // localities count within a subset as well
	scalesLocality   bool    // by how much of a locality the subset has
}

// policyOf reads a cluster's: the newer way of saying it goes before the older.
func (b *balancing) policyOf(cluster message) policy {
	common := cluster.sub("commonLbConfig")
	p := policy{
		byLocality: common.has("localityWeightedLbConfig"), zoneAware: common.sub("zoneAwareLbConfig"),
		subsets: cluster.sub("lbSubsetConfig"),
	}
	switch cluster.text("lbPolicy") {
	case "RING_HASH", "MAGLEV":
		p.hashes = true
	case "RANDOM":
		p.unweighted = true
	}
	if all := cluster.sub("loadBalancingPolicy").list("policies"); len(all) > 0 {
		p = policy{}
		b.extension(all[0].sub("typedExtensionConfig"), &p)
	}
	p.failsInPanic = p.zoneAware.flag("failTrafficOnPanic")
	p.subsetByLocality, p.scalesLocality = p.subsets.flag("localityWeightAware"), p.subsets.flag("scaleLocalityWeight")
	return p
}

// extension reads a load balancing policy that is an extension, and the one
// within it.
func (b *balancing) extension(e message, p *policy) {
	config := e.sub("typedConfig")
	kind := config.text("@type")
	kind = kind[strings.LastIndexByte(kind, '.')+1:]
	locality := config.sub("localityLbConfig")
	p.byLocality = p.byLocality || locality.has("localityWeightedLbConfig")
	if locality.has("zoneAwareLbConfig") {
		p.zoneAware = locality.sub("zoneAwareLbConfig")
	}
	inner := ""
	switch kind {
	case "Random":
		p.unweighted = true
	case "RoundRobin", "LeastRequest", "ClusterProvided", "ClientSideWeightedRoundRobin":
	case "RingHash", "Maglev":
		p.hashes = true
		p.byLocality = p.byLocality || config.has("localityWeightedLbConfig")
	case "WrrLocality":
		p.byLocality, inner = true, "endpointPickingPolicy"
	case "Subset":
		p.subsets, inner = config, "subsetLbPolicy"
	case "OverrideHost":
		inner = "fallbackPolicy"
	default:
		b.out.Unsupported = append(b.out.Unsupported, "load balancing policy "+e.text("name"))
	}
	if inner != "" {
		if all := config.sub(inner).list("policies"); len(all) > 0 {
			b.extension(all[0].sub("typedExtensionConfig"), p)
		}
	}
}
