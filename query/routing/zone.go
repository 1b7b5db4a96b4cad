package routing

import "github.com/meshq/kubectl-meshq/query/document"

// smallCluster is how many healthy endpoints a cluster has to have for
// requests to be kept within the proxy's locality, where nothing else is said.
const smallCluster = 6

// byZone gives the parts of the localities of the first priority where
// requests are kept within the proxy's own as far as it can take them; nil
// where they are not. It is Envoy's zone aware routing: a proxy whose locality
// has as much of the endpoints as of the proxies sends everything there; else
// what is left over goes where there is more of endpoints than of proxies.
func (b *balancing) byZone(whole, eligible []int) map[string]float64 {
	var some []int
	for _, i := range whole {
		if b.out.Members[i].Health == healthy {
			some = append(some, i)
		}
	}
	if b.zone == nil || b.policy.hashes || len(some) < b.smallest() || len(b.localities(whole)) < 2 || b.routed() == 0 {
		return nil
	}
	z, err := b.zone()
	if err != nil && b.Err == nil {
		b.Err = err
	}
	if z == nil {
		return nil
	}
	own := b.localityOf(b.Message(z.Locality))
	local, of, ok := b.local(z, own)
	switch {
	case !ok, inPanic(of, b.panicThreshold()) && !b.policy.failsInPanic:
		return nil
	case inPanic(of, b.panicThreshold()):
		b.out.Why = "panic: too few of the proxy's own cluster are healthy, so requests fail"
		return b.mixed(map[string]float64{nowhere: 1}, eligible)
	}
	upstream := map[string]int{}
	for _, i := range some {
		upstream[b.out.Members[i].locality] += b.basis(b.out.Members[i])
	}
	localPart, upstreamPart := parts(local), parts(upstream)
	out := map[string]float64{}
	if upstreamPart[own] > 0 && (upstreamPart[own] >= localPart[own] || b.policy.zoneAware.Has("forceLocalityDirectRouting")) {
		out[own] = 1
		b.out.Why = "kept within " + own
		return b.mixed(out, eligible)
	}
	direct := 0.0
	if localPart[own] > 0 {
		direct = float64(upstreamPart[own]*10_000/localPart[own]) / 10_000
	}
	residual, sum := map[string]int{}, 0
	for name, n := range upstreamPart {
		if name != own && n > localPart[name] {
			residual[name] = n - localPart[name]
			sum += residual[name]
		}
	}
	if sum == 0 { // only by rounding
		return nil
	}
	out[own] = direct
	for name, n := range residual {
		out[name] = (1 - direct) * float64(n) / float64(sum)
	}
	b.out.Why = "kept within " + own + " as far as it can take them"
	return b.mixed(out, eligible)
}

// mixed is the parts where not all requests are routed by zone: the others go
// to any endpoint of that health.
func (b *balancing) mixed(zones map[string]float64, some []int) map[string]float64 {
	routed := b.routed()
	if routed >= 1 {
		return zones
	}
	sum, own := 0.0, map[string]float64{}
	for _, i := range some {
		own[b.out.Members[i].locality] += b.out.Members[i].weight
		sum += b.out.Members[i].weight
	}
	for name := range zones {
		zones[name] *= routed
	}
	for name, w := range own {
		zones[name] += (1 - routed) * w / sum
	}
	return zones
}

// routed is how much of the requests are routed by zone, 0 to 1.
func (b *balancing) routed() float64 {
	if !b.policy.zoneAware.Has("routingEnabled") {
		return 1
	}
	v, _ := numeric(b.policy.zoneAware.Sub("routingEnabled").Value("value"))
	return v / 100
}

// smallest is how many healthy endpoints there have to be.
func (b *balancing) smallest() int {
	if !b.policy.zoneAware.Has("minClusterSize") {
		return smallCluster
	}
	return int(b.policy.zoneAware.Number("minClusterSize"))
}

// nowhere is a locality that no endpoint has.
const nowhere = "-"

// local counts the proxies, and the healthy ones by locality. ok is false where
// Envoy routes by no zone: all are in one, or none is known where the proxy is.
func (b *balancing) local(z *Zone, own string) (count map[string]int, of census, ok bool) {
	count = map[string]int{}
	all, here := map[string]bool{}, false
	for _, e := range z.Local {
		h := b.host(e, false)
		if h.priority != 0 {
			continue
		}
		all[h.locality] = true
		here = here || h.locality == own
		if of.add(h); h.Health == healthy {
			count[h.locality] += b.basis(h)
		}
	}
	return count, of, here && len(all) > 1
}

func (b *balancing) basis(h Member) int {
	if b.policy.zoneAware.Text("localityBasis") == "HEALTHY_HOSTS_WEIGHT" {
		return int(h.weight)
	}
	return 1
}

// parts gives how much each has of the sum, in hundredths of a percent.
func parts(count map[string]int) map[string]int {
	sum := 0
	for _, n := range count {
		sum += n
	}
	out := map[string]int{}
	for name, n := range count {
		out[name] = 10_000 * n / sum
	}
	return out
}

func (b *balancing) localities(at []int) map[string]bool {
	all := map[string]bool{}
	for _, i := range at {
		all[b.out.Members[i].locality] = true
	}
	return all
}

// localityOf is a locality as a key.
func (b *balancing) localityOf(l document.Message) string {
	return l.Text("region") + "/" + l.Text("zone") + "/" + l.Text("subZone")
}
