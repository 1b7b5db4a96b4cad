package routing

import (
	"maps"
	"slices"
)

// share computes the shares of the endpoints with the indexes in at.
func (b *balancing) share(at []int) {
	for _, l := range b.loads(at) {
		if l.percent > 0 {
			b.spread(at, l)
		}
	}
}

// spread divides the load of one priority among its endpoints. It uses the
// endpoints with the load's health. In panic mode it uses all endpoints, unless
// the cluster is configured to fail requests in that case. If the cluster is
// configured to do so, it takes the weights of localities into account.
func (b *balancing) spread(at []int, l load) {
	var whole, some []int
	if b.policy.hashes { // a hash ring contains only healthy endpoints
		l.health = healthy
	}
	for _, i := range at {
		if h := b.out.Members[i]; h.priority == l.priority {
			whole = append(whole, i)
			if l.panics || h.Health == l.health {
				some = append(some, i)
			}
		}
	}
	if l.panics {
		if b.policy.failsInPanic {
			b.out.Why = "panic: too few are healthy, so requests fail"
			return
		}
		b.out.Why = "panic: too few are healthy, so requests go to all"
	}
	zones := map[string]float64{}
	switch byWeight := b.policy.byLocality && (len(at) == b.all || b.policy.subsetByLocality); {
	case byWeight && (!l.panics || b.policy.hashes):
		for _, i := range some {
			h := b.out.Members[i]
			if _, done := zones[h.locality]; !done {
				zones[h.locality] = b.weightOfLocality(h.locality, whole, some)
			}
		}
	case !byWeight && !l.panics && l.priority == 0:
		zones = b.byZone(whole, some)
	}
	b.divide(some, zones, float64(l.percent)/100)
}

// divide divides a part of the requests among endpoints. It first divides it among
// localities, if they have weights, and then by the weights of the endpoints.
func (b *balancing) divide(some []int, zones map[string]float64, part float64) {
	sum := 0.0 // the sum includes localities without endpoints, whose requests fail
	for _, name := range slices.Sorted(maps.Keys(zones)) {
		sum += zones[name]
	}
	of := func(i int) string {
		if sum > 0 {
			return b.out.Members[i].locality
		}
		return ""
	}
	weights := map[string]float64{}
	for _, i := range some {
		weights[of(i)] += b.out.Members[i].weight
	}
	for _, i := range some {
		h := &b.out.Members[i]
		share := part * h.weight / weights[of(i)]
		if sum > 0 {
			share *= zones[h.locality] / sum
		}
		h.Share += share
	}
}

// weightOfLocality returns the effective weight of a locality. The weight is lower
// if many of the locality's endpoints are unhealthy. A locality without a weight
// gets no requests.
func (b *balancing) weightOfLocality(name string, whole, some []int) float64 {
	weight, fit, n, own := 0.0, 0, 0, 0.0
	for _, i := range whole {
		if h := b.out.Members[i]; h.locality == name {
			weight = h.localityWeight
			own += h.weight
			if h.Health != draining {
				n++
			}
		}
	}
	for _, i := range some {
		if b.out.Members[i].locality == name {
			fit++
		}
	}
	if !b.known { // without known weights, the weight is the sum of the endpoints' weights, which is Istio's default
		b.out.Unsupported = []string{"weights of localities"}
		weight = own
	}
	if b.policy.scalesLocality {
		weight = b.scaled(weight, name, b.out.Members[whole[0]].priority, whole)
	}
	if n == 0 || b.policy.hashes { // a hash ring ignores the number of unhealthy endpoints
		return weight
	}
	return weight * min(1, b.factor/100*float64(fit)/float64(n))
}

// scaled returns a locality's weight in a subset: the weight, multiplied by the
// part of the locality's endpoints that the subset contains.
func (b *balancing) scaled(weight float64, name string, priority int, subset []int) float64 {
	n, of := 0.0, 0.0
	for _, i := range subset {
		if b.out.Members[i].locality == name {
			n++
		}
	}
	for _, h := range b.out.Members {
		if h.priority == priority && h.locality == name {
			of++
		}
	}
	return float64(int(weight*n/of + 0.5))
}
