package process

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How much the heap may grow beyond what lives, before it is collected again:
// by so many bytes, less half of what lives, within these parts of what lives, in
// percent. A run that holds little, as most do, is collected seldom; one that
// holds much, as of thousands of proxies, doesn't take twice as much.
const (
	growth       = 96 << 20
	leastPercent = 40
	mostPercent  = 400
)

// Pace sets how often this process collects its garbage, from now on by what
// lives in it. It is for a process that sets nothing itself: GOGC is its word.
func (w *World) Pace() {
	if w.Env("GOGC") == "" {
		debug.SetGCPercent(mostPercent)
		runtime.SetFinalizer(&beat{percent: mostPercent}, (*beat).next)
	}
}

// A beat is garbage itself, again after each collection: so it hears of all.
type beat struct {
	percent int
	_       *beat // what has no pointer may be collected with others
}

func (b *beat) next() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if v := live[0].Value; v.Kind() == metrics.KindUint64 {
		percent := mostPercent
		if n := v.Uint64(); n > 0 {
			percent = int(min(max(growth*100/n, leastPercent+50)-50, mostPercent))
		}
		if percent != b.percent {
			debug.SetGCPercent(percent)
			b.percent = percent
		}
	}
	runtime.SetFinalizer(b, (*beat).next)
}
