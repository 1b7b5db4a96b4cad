package routing

import (
	"context"
	"slices"
)

// Balanced is which endpoints of a cluster requests go to.
type Balanced struct {
	Members []Member // all of the cluster's, those that take nothing with share 0
	Reason  string   // why nothing goes anywhere; empty where something does
	Why     string   // how the endpoints were chosen, in words

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
	ofZone   float64 // the weight of its locality
	known    bool    // whether that is known
}

// How Envoy counts an endpoint.
const (
	healthy   = "healthy"
	degraded  = "degraded"
	unhealthy = "unhealthy"
	draining  = "draining" // it is neither counted nor sent to
)

// balancing is one cluster's endpoints being decided.
type balancing struct {
	*reader
	cluster message
	out     *Balanced
}

// Balance gives the shares of a cluster's endpoints. Criteria are the metadata
// (of envoy.lb) that the route asks for.
func Balance(ctx context.Context, cluster any, endpoints []any, criteria map[string]any) (*Balanced, error) {
	b := &balancing{reader: &reader{ctx: ctx}, out: &Balanced{}}
	b.cluster = b.message(cluster)
	checks := b.cluster.has("outlierDetection") || len(b.cluster.list("healthChecks")) > 0
	for _, e := range endpoints {
		b.out.Members = append(b.out.Members, b.host(e, checks))
	}
	if len(endpoints) == 0 {
		b.out.Reason = NoEndpoints
		return b.out, b.err
	}
	chosen := b.subset(criteria)
	if b.out.Reason == "" {
		b.share(chosen)
	}
	return b.out, b.err
}

func (b *balancing) host(endpoint any, checks bool) Member {
	m := b.message(endpoint)
	h := Member{Endpoint: endpoint, Health: healthy, weight: 1, priority: int(m.number("priority"))}
	if w := m.number("weight"); w > 0 {
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
	l := m.sub("locality")
	h.locality = l.text("region") + "/" + l.text("zone") + "/" + l.text("subZone")
	if m.has("localityWeight") {
		h.ofZone, h.known = float64(m.number("localityWeight")), true
	}
	return h
}

// load is how much of the requests a priority takes, in percent, and of which
// endpoints.
type load struct {
	priority int
	health   string
	percent  int
	panics   bool
}

// factor is Envoy's overprovisioning factor, in percent, where nothing says
// another one.
const factor = 140

// share gives the endpoints at those places their shares.
func (b *balancing) share(at []int) {
	loads := b.loads(at)
	if loads == nil {
		return
	}
	for _, l := range loads {
		var some []int
		for _, i := range at {
			if h := b.out.Members[i]; h.priority == l.priority && (l.panics || h.Health == l.health) {
				some = append(some, i)
			}
		}
		b.spread(some, at, l)
	}
}

// loads decides about priorities: each takes as much as its healthy endpoints,
// overprovisioned, can; what is left goes to the next, then to the degraded.
// Where too little is left of all of them, unhealthy ones are sent to as well.
func (b *balancing) loads(at []int) []load {
	type counts struct{ all, healthy, degraded int }
	of := map[int]*counts{}
	var order []int
	for _, i := range at {
		h := b.out.Members[i]
		n := of[h.priority]
		if n == nil {
			n = &counts{}
			of[h.priority], order = n, append(order, h.priority)
		}
		switch h.Health {
		case healthy:
			n.healthy++
		case degraded:
			n.degraded++
		}
		if h.Health != draining {
			n.all++
		}
	}
	slices.Sort(order)
	able := func(n, of int) int {
		if of == 0 {
			return 0
		}
		return min(100, factor*n/of)
	}
	total := 0
	for _, p := range order {
		total += able(of[p].healthy, of[p].all) + able(of[p].degraded, of[p].all)
	}
	threshold, total := b.panicThreshold(), min(100, total)
	if total == 0 {
		return b.allBad(at, order, threshold)
	}
	var out []load
	left := 100
	take := func(p, n, all int, health string) {
		part := min(left, able(n, all)*100/total)
		if part == 0 {
			return
		}
		c := of[p]
		left -= part
		panics := total < 100 && able(c.healthy, c.all)+able(c.degraded, c.all) < threshold
		out = append(out, load{p, health, part, panics})
	}
	for _, p := range order {
		take(p, of[p].healthy, of[p].all, healthy)
	}
	for _, p := range order {
		take(p, of[p].degraded, of[p].all, degraded)
	}
	if len(out) > 0 {
		out[0].percent += left
	}
	return out
}

// allBad is the load where no endpoint is fit: all are sent to, unless panic
// is turned off.
func (b *balancing) allBad(at, order []int, threshold int) (out []load) {
	if threshold == 0 || b.cluster.sub("commonLbConfig").sub("zoneAwareLbConfig").flag("failTrafficOnPanic") {
		b.out.Reason = AllUnhealthy
		return nil
	}
	b.out.Why = "panic: none is healthy, so all are sent to"
	n := map[int]int{}
	for _, i := range at {
		n[b.out.Members[i].priority]++
	}
	for _, p := range order {
		out = append(out, load{priority: p, percent: 100 * n[p] / len(at), panics: true})
	}
	left := 100
	for _, l := range out {
		left -= l.percent
	}
	out[0].percent += left
	return out
}

// panicThreshold is in percent; 50 where nothing says otherwise, 0 is never.
func (b *balancing) panicThreshold() int {
	common := b.cluster.sub("commonLbConfig")
	if !common.has("healthyPanicThreshold") {
		return 50
	}
	v, _ := numeric(common.sub("healthyPanicThreshold").value("value"))
	return int(v)
}

// spread spreads a load over endpoints, by the weights of localities where the
// cluster asks for it, and by their own.
func (b *balancing) spread(some, all []int, l load) {
	if l.panics && b.out.Why == "" {
		b.out.Why = "panic: too few are healthy, so all are sent to"
	}
	zones := map[string]float64{}
	if b.byLocality() {
		for _, i := range some {
			zones[b.out.Members[i].locality] = b.weightOfLocality(b.out.Members[i], all, l)
		}
		if len(zones) > 1 && !b.out.Members[some[0]].known {
			b.out.Unsupported = []string{"weights of localities"}
		}
	} else {
		for _, i := range some {
			zones[""] = 1
			b.out.Members[i].locality = ""
		}
	}
	sum := 0.0
	for _, w := range zones {
		sum += w
	}
	weights := map[string]float64{}
	for _, i := range some {
		weights[b.out.Members[i].locality] += b.out.Members[i].weight
	}
	for _, i := range some {
		h := &b.out.Members[i]
		if sum > 0 {
			h.Share += float64(l.percent) / 100 * zones[h.locality] / sum * h.weight / weights[h.locality]
		}
	}
}

// byLocality tells whether localities have weights of their own.
func (b *balancing) byLocality() bool {
	return b.cluster.sub("commonLbConfig").has("localityWeightedLbConfig")
}

// weightOfLocality is a locality's weight, less where much of it is unfit.
func (b *balancing) weightOfLocality(of Member, all []int, l load) float64 {
	fit, n := 0, 0
	for _, i := range all {
		if h := b.out.Members[i]; h.priority == of.priority && h.locality == of.locality && h.Health != draining {
			n++
			if h.Health == l.health || l.panics {
				fit++
			}
		}
	}
	if !of.known { // Istio writes the sum of their endpoints' weights, unless it is told otherwise
		of.ofZone = 0
		for _, i := range all {
			if h := b.out.Members[i]; h.priority == of.priority && h.locality == of.locality {
				of.ofZone += h.weight
			}
		}
	}
	if n == 0 {
		return of.ofZone
	}
	return of.ofZone * min(1, factor/100.0*float64(fit)/float64(n))
}
