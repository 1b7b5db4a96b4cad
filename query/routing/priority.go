package routing

import "slices"

// load is how much of the requests a priority takes, in percent, and of which
// endpoints.
type load struct {
	priority int
	health   string
	percent  int
	panics   bool // all of the priority's endpoints are sent to, whatever their health
}

// usualFactor is Envoy's overprovisioning factor where nothing says another
// one, in percent.
const usualFactor = 140

// census counts the endpoints of a priority.
type census struct {
	priority          int
	all               int // the draining ones too
	counted           int // without these
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

// counts gives the priorities of the endpoints at those places, in order.
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

// able is how much of the requests n of a priority's endpoints can take, in
// percent.
func (b *balancing) able(n int, of census) int {
	if of.counted == 0 {
		return 0
	}
	return min(100, int(b.factor)*n/of.counted)
}

// inPanic tells whether too few endpoints of a priority are fit. Here nothing
// is overprovisioned.
func inPanic(n census, threshold int) bool {
	if n.counted == 0 {
		return threshold > 0
	}
	return 100*float64(n.healthy+n.degraded)/float64(n.counted) < float64(threshold)
}

// loads decides about priorities: each takes as much as its healthy endpoints,
// overprovisioned, can; what is left goes to the next, then to the degraded.
// Where that is not enough for all requests, priorities with too few fit
// endpoints panic; when all of them do, each takes its part by its size.
func (b *balancing) loads(at []int) []load {
	all := b.counts(at)
	total := 0
	for _, n := range all {
		total += b.able(n.healthy, n) + b.able(n.degraded, n)
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
	if total == 0 { // a factor below 100 lets a priority take nothing, without a panic
		return nil
	}
	var out []load
	left := 100
	for _, health := range []string{healthy, degraded} {
		for _, n := range all {
			able := b.able(n.healthy, n)
			if health == degraded {
				able = b.able(n.degraded, n)
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

// bySize is the load where all priorities panic.
func bySize(all []census, of int) (out []load) {
	left := 100
	for _, n := range all {
		out = append(out, load{priority: n.priority, percent: 100 * n.all / of, panics: true})
		left -= 100 * n.all / of
	}
	out[0].percent += left
	return out
}

// panicThreshold is in percent; 50 where nothing says otherwise, 0 is never.
func (b *balancing) panicThreshold() int {
	common := b.cluster.Sub("commonLbConfig")
	if !common.Has("healthyPanicThreshold") {
		return 50
	}
	v, _ := numeric(common.Sub("healthyPanicThreshold").Value("value"))
	return min(100, int(v+0.5))
}
