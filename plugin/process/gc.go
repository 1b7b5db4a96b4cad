package process

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The heap may grow by so many bytes, less half of the live bytes, before it is
// collected again, within these bounds in percent of the live bytes. A run that
// holds little, as most do, is collected seldom; one that holds much, such as
// thousands of proxies, doesn't take twice as much. SetGCPercent and
// SetMemoryLimit alone don't do both: with a fixed percentage, memory grows in
// proportion to the live bytes (BENCHMARKS.md allows 1.5 times as much for 8
// times the proxies), and a memory limit makes the collector run all the time
// once more than the limit is live.
const (
	growth       = 96 << 20
	leastPercent = 40
	mostPercent  = 400
)

// TuneGC sets how often this process collects its garbage, after each
// collection anew by the bytes that are live. It does nothing if GOGC is set.
func (w *World) TuneGC() {
	if w.Env("GOGC") == "" {
		debug.SetGCPercent(mostPercent)
		runtime.SetFinalizer(&gcTuner{percent: mostPercent}, (*gcTuner).tune)
	}
}

// A gcTuner is garbage from the start, so that its finalizer runs after each
// collection.
type gcTuner struct {
	percent int
	_       *gcTuner // the runtime combines small objects without pointers, and may not finalize them
}

func (t *gcTuner) tune() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if v := live[0].Value; v.Kind() == metrics.KindUint64 {
		percent := mostPercent
		if n := v.Uint64(); n > 0 {
			percent = int(min(max(growth*100/n, leastPercent+50)-50, mostPercent))
		}
		if percent != t.percent {
			debug.SetGCPercent(percent)
			t.percent = percent
		}
	}
	runtime.SetFinalizer(t, (*gcTuner).tune)
}
