package fleet

import (
	"fmt"
	"math/rand/v2"
)

// A Trouble is the fault that a proxy simulates.
type Trouble string

// The faults that a proxy can simulate.
const (
	Fine    Trouble = ""
	Stale   Trouble = "stale"   // istiod has sent routes that the proxy has not acknowledged
	Hung    Trouble = "hung"    // accepts a request and never answers
	Refused Trouble = "refused" // nothing listens on the admin port
	Cut     Trouble = "cut"     // cuts off an answer in the middle
	Busy    Trouble = "busy"    // answers 503
	Slow    Trouble = "slow"    // writes some 20 KB per second
)

// A Proxy is one proxy of the fleet.
type Proxy struct {
	Name      string // the pod's name
	Namespace string
	Trouble   Trouble

	index        int
	replacements [millisWord]string
	admin        admin
}

// The sizes of a fleet's parts.
const (
	replicas   = 4 // per workload
	namespaces = 20
)

// newProxies builds the proxies. The seed decides which of them have a fault.
func newProxies(o Options) ([]*Proxy, error) {
	random := rand.New(rand.NewPCG(o.Seed, 1))
	all := make([]*Proxy, o.Proxies)
	for i := range all {
		app := fmt.Sprintf("web-%05d", i/replicas)
		p := &Proxy{
			Name: fmt.Sprintf("%s-%s-%s", app, hash(o.Seed, uint64(i/replicas), 10), hash(o.Seed, uint64(i)+1<<32, 5)), Namespace: fmt.Sprintf("team-%02d", i/replicas%namespaces),
			index: i,
		}
		ip := fmt.Sprintf("10.1%02d.1%02d.1%02d", i/10000, i/100%100, i%100)
		p.replacements = [...]string{p.Name, app, p.Namespace, ip, fmt.Sprint(1000000 + i)}
		all[i] = p
	}
	order := random.Perm(len(all))
	for _, t := range []struct {
		trouble Trouble
		many    int
	}{{Stale, o.Stale}, {Hung, o.Hung}, {Refused, o.Refused}, {Cut, o.Cut}, {Busy, o.Busy}, {Slow, o.Slow}} {
		if t.many > len(order) {
			return nil, fmt.Errorf("%d proxies are not enough for all the troubles", len(all))
		}
		for _, i := range order[:t.many] {
			all[i].Trouble = t.trouble
		}
		order = order[t.many:]
	}
	return all, nil
}

// hash returns letters like those that Kubernetes appends to names.
func hash(seed, n uint64, letters int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	random, b := rand.New(rand.NewPCG(seed, n)), make([]byte, letters)
	for i := range b {
		b[i] = alphabet[random.IntN(len(alphabet))]
	}
	return string(b)
}
