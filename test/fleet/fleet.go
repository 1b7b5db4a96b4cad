package fleet

import (
	"fmt"
	"net/http"
	"time"
)

// Options describe a fleet.
type Options struct {
	Captures string // the folder of the recorded mesh that is repeated
	Seed     uint64

	Proxies int
	Istiods int
	Pods    int   // the number of pods without a proxy
	Bytes   int64 // the least size of each proxy's config dump; it is never smaller than the recorded one

	Latency time.Duration // the delay before each answer of an Envoy or istiod
	Rate    int64         // bytes per second at which an Envoy produces an answer; 0 means no delay

	APILatency time.Duration // the delay before each answer of the API server
	APIRate    float64       // requests per second that the API server accepts; it answers 429 to the others; 0 accepts all
	RetryAfter int           // the Retry-After header of a 429, in seconds; 0 leaves it out

	Stale, Hung, Refused, Cut, Busy, Slow int // how many proxies have that trouble
}

// A Fleet is a simulated mesh.
type Fleet struct {
	options  Options
	counters *Counters
	capture  *capture
	proxies  []*Proxy
	istiods  []*istiod
	image    *image
	byName   map[string]*Proxy // by "pod.namespace"
	addresses
}

// New builds a fleet. It opens no ports.
func New(o Options) (*Fleet, error) {
	if o.Proxies < 0 || o.Istiods < 1 {
		return nil, fmt.Errorf("%d proxies and %d istiods are no mesh", o.Proxies, o.Istiods)
	}
	c, err := openCapture(o.Captures)
	if err != nil {
		return nil, err
	}
	f := &Fleet{options: o, capture: c, counters: newCounters(), byName: map[string]*Proxy{}}
	if f.proxies, err = newProxies(o); err != nil {
		return nil, err
	}
	if f.image, err = newImage(c, o); err != nil {
		return nil, err
	}
	r, err := newRegistry(c, f.image)
	if err != nil {
		return nil, err
	}
	f.istiods = newIstiods(o, f.proxies, f.counters, r)
	for _, p := range f.proxies {
		f.byName[p.Name+"."+p.Namespace] = p
		p.admin = admin{
			counters: f.counters, tally: f.counters.tally(p.Name+"."+p.Namespace, f.counters.envoys), trouble: p.Trouble,
			latency: o.Latency, rate: o.Rate, single: true,
			answer: func(q *http.Request) (int, string, body) { return f.image.answer(p, q) },
		}
	}
	return f, nil
}

// Counters returns the fleet's counters.
func (f *Fleet) Counters() *Counters { return f.counters }

// Proxies returns all proxies of the fleet.
func (f *Fleet) Proxies() []*Proxy { return f.proxies }

// Dump returns the config dump of a proxy, given by its index. query is the query of the request: "include_eds",
// "mask=…".
func (f *Fleet) Dump(proxy int, query string) []byte {
	return body{{f.image.configDump(query).text, f.proxies[proxy]}}.bytes()
}
