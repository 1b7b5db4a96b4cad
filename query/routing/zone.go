package routing

import "github.com/meshq/kubectl-meshq/query/document"

// defaultMinClusterSize is Envoy's default for min_cluster_size: the number of
// healthy endpoints that a cluster needs for zone aware routing.
const defaultMinClusterSize = 6

// byZone implements Envoy's zone aware routing. It returns each locality's
// share of the requests of priority 0, or nil if the requests are not routed by
// zone. If the proxy's locality has at least as large a share of the endpoints
// as of the proxies, all requests stay in it. Otherwise the excess goes to the
// localities whose share of the endpoints is larger than their share of the
// proxies.
func (b *balancing) byZone(whole, eligible []int) map[string]float64 {
	var some []int
	for _, i := range whole {
		if b.out.Members[i].Health == healthy {
			some = append(some, i)
		}
	}
	if b.zone == nil || b.policy.hashes || len(some) < b.minClusterSize() || len(b.localities(whole)) < 2 || b.zoneRoutedShare() == 0 {
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
	local, of, ok := b.countLocal(z, own)
	switch {
	case !ok, inPanic(of, b.panicThreshold()) && !b.policy.failsInPanic:
		return nil
	case inPanic(of, b.panicThreshold()):
		b.out.Why = "panic: too few of the proxy's own cluster are healthy, so requests fail"
		return b.mixed(map[string]float64{noLocality: 1}, eligible)
	}
	upstream := map[string]int{}
	for _, i := range some {
		upstream[b.out.Members[i].locality] += b.basis(b.out.Members[i])
	}
	localPart, upstreamPart := proportions(local), proportions(upstream)
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
	if sum == 0 { // because of rounding, the sum may be 0
		return nil
	}
	out[own] = direct
	for name, n := range residual {
		out[name] = (1 - direct) * float64(n) / float64(sum)
	}
	b.out.Why = "kept within " + own + " up to its capacity"
	return b.mixed(out, eligible)
}

// mixed returns each locality's share of all requests. zones has their shares
// of those requests that are routed by zone; routing_enabled may limit these to
// a percentage. The other requests are distributed over all eligible endpoints,
// whose indexes are in some.
func (b *balancing) mixed(zones map[string]float64, some []int) map[string]float64 {
	routed := b.zoneRoutedShare()
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

// zoneRoutedShare returns the share of the requests that are routed by zone,
// from 0 to 1.
func (b *balancing) zoneRoutedShare() float64 {
	if !b.policy.zoneAware.Has("routingEnabled") {
		return 1
	}
	v, _ := numeric(b.policy.zoneAware.Sub("routingEnabled").Value("value"))
	return v / 100
}

// minClusterSize returns the number of healthy endpoints that the cluster needs
// for zone aware routing.
func (b *balancing) minClusterSize() int {
	if !b.policy.zoneAware.Has("minClusterSize") {
		return defaultMinClusterSize
	}
	return int(b.policy.zoneAware.Number("minClusterSize"))
}

// noLocality is the key of a locality to which no endpoint belongs.
const noLocality = "-"

// countLocal counts the endpoints of the proxy's own cluster, and in each
// locality the healthy ones. ok is false if Envoy doesn't route by zone because
// all endpoints are in one locality, or because none is in the proxy's locality.
func (b *balancing) countLocal(z *Zone, own string) (count map[string]int, of census, ok bool) {
	count = map[string]int{}
	all, here := map[string]bool{}, false
	for _, e := range z.Local {
		h := b.newMember(e, false)
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

// proportions returns each locality's share of the sum, in units of 0.01
// percent.
func proportions(count map[string]int) map[string]int {
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

// localityOf returns the text of a locality, for use as a map key.
func (b *balancing) localityOf(l document.Message) string {
	return l.Text("region") + "/" + l.Text("zone") + "/" + l.Text("subZone")
}
