package fleet

import (
	"fmt"
	"net/http"
	"time"
)

// Options say what the fleet is.
type Options struct {
	Captures string // the folder of the recorded mesh that is repeated
	Seed     uint64

	Proxies int
	Istiods int
	Pods    int   // without a proxy
	Bytes   int64 // of each proxy's config dump, at least; never less than the recorded one has

	Latency time.Duration // before each answer of an Envoy or istiod
	Rate    int64         // bytes a second that Envoys write their answers with; 0: at once

	APILatency time.Duration // before each answer of the API server
	APIRate    float64       // requests a second that the API server takes; it answers 429 to the others; 0: takes all
	RetryAfter int           // the seconds that a 429 says to wait; 0: it doesn't say

	Stale, Hung, Refused, Cut, Busy, Slow int // how many proxies are so
}

// A Fleet is a simulated mesh.
type Fleet struct {
	options  Options
	counters *Counters
	capture  *capture
	proxies  []*Proxy
	istiods  []*istiod
	image    *image
	byName   map[string]*Proxy // "pod.namespace"
	addresses
}

// New makes a fleet. Nothing listens yet.
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
			counters: f.counters, whose: f.counters.tally(p.Name+"."+p.Namespace, f.counters.envoys), trouble: p.Trouble,
			latency: o.Latency, rate: o.Rate, single: true,
			answer: func(q *http.Request) (int, string, body) { return f.image.answer(p, q) },
		}
	}
	return f, nil
}

// Counters are the fleet's.
func (f *Fleet) Counters() *Counters { return f.counters }

// Proxies are all of the fleet's.
func (f *Fleet) Proxies() []*Proxy { return f.proxies }

// Dump gives a proxy's answer to a request for its config: "include_eds",
// "mask=…".
func (f *Fleet) Dump(proxy int, query string) []byte {
	return body{{f.image.configDump(query).text, f.proxies[proxy]}}.bytes()
}
