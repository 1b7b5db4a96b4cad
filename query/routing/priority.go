package routing

import "slices"

// A load is the percentage of the requests that one priority gets, and the health
// of the endpoints that receive them.
type load struct {
	priority int
	health   string
	percent  int
	panics   bool // true in panic mode: the requests go to all endpoints of the priority, whatever their health
}

// defaultOverprovisioning is Envoy's default for the overprovisioning factor in
// percent.
const defaultOverprovisioning = 140

// A census has the numbers of endpoints of one priority.
type census struct {
	priority          int
	all               int // all endpoints, including those that are draining
	counted           int // all endpoints except those that are draining
	healthy, degraded int
}

func (n *census) add(h Member) {
	n.all++
	if h.Health != draining {
		n.counted++
	}
	switch h.Health {
	case healthy:
		n.healthy++
	case degraded:
		n.degraded++
	}
}

// counts returns one census for each priority, in the order of the priorities. It
// counts only the endpoints with the indexes in at.
func (b *balancing) counts(at []int) []census {
	of := map[int]*census{}
	for _, i := range at {
		h := b.out.Members[i]
		n := of[h.priority]
		if n == nil {
			n = &census{priority: h.priority}
			of[h.priority] = n
		}
		n.add(h)
	}
	var out []census
	for _, n := range of {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b census) int { return a.priority - b.priority })
	return out
}

// capacity returns the percentage of all requests that n endpoints of a priority
// can take.
func (b *balancing) capacity(n int, of census) int {
	if of.counted == 0 {
		return 0
	}
	return min(100, int(b.factor)*n/of.counted)
}

// inPanic reports whether a priority has too few usable endpoints: the percentage
// of healthy and degraded endpoints is below the threshold. The overprovisioning
// factor has no effect here.
func inPanic(n census, threshold int) bool {
	if n.counted == 0 {
		return threshold > 0
	}
	return 100*float64(n.healthy+n.degraded)/float64(n.counted) < float64(threshold)
}

// loads divides the requests among the priorities. Each priority takes as many
// requests as its healthy endpoints can take, including the overprovisioning
// factor. The remaining requests go to the next priority, and after the last
// priority to the degraded endpoints. If all endpoints together can't take every
// request, each priority with too few usable endpoints goes into panic mode. If
// all priorities are in panic mode, each gets a part in proportion to its size.
func (b *balancing) loads(at []int) []load {
	all := b.counts(at)
	total := 0
	for _, n := range all {
		total += b.capacity(n.healthy, n) + b.capacity(n.degraded, n)
	}
	total = min(100, total)
	threshold := b.panicThreshold()
	panics := func(n census) bool { return total < 100 && inPanic(n, threshold) }
	if len(all) == 0 || total == 0 && threshold == 0 {
		return nil
	}
	if !slices.ContainsFunc(all, func(n census) bool { return !panics(n) }) {
		return bySize(all, len(at))
	}
	// with an overprovisioning factor below 100, no priority may take requests
	// although none is in panic mode
	if total == 0 {
		return nil
	}
	var out []load
	left := 100
	for _, health := range []string{healthy, degraded} {
		for _, n := range all {
			able := b.capacity(n.healthy, n)
			if health == degraded {
				able = b.capacity(n.degraded, n)
			}
			part := min(left, able*100/total)
			left -= part
			if able > 0 {
				out = append(out, load{n.priority, health, part, panics(n)})
			}
		}
	}
	out[0].percent += left
	return out
}

// bySize returns the loads if all priorities are in panic mode.
func bySize(all []census, of int) (out []load) {
	left := 100
	for _, n := range all {
		out = append(out, load{priority: n.priority, percent: 100 * n.all / of, panics: true})
		left -= 100 * n.all / of
	}
	out[0].percent += left
	return out
}

// panicThreshold returns the cluster's panic threshold in percent. The default
// is 50; 0 turns panic mode off.
func (b *balancing) panicThreshold() int {
	common := b.cluster.Sub("commonLbConfig")
	if !common.Has("healthyPanicThreshold") {
		return 50
	}
	v, _ := numeric(common.Sub("healthyPanicThreshold").Value("value"))
	return min(100, int(v+0.5))
}
