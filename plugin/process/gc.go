package process

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// These constants set how much the heap may grow before the next garbage
// collection: by growth bytes minus half of the live bytes, but at least by
// leastPercent and at most by mostPercent of the live bytes. So runs with little
// live memory, which are most, collect garbage rarely. A run with much live memory,
// such as one over thousands of proxies, doesn't use twice that memory.
// SetGCPercent and SetMemoryLimit alone can't achieve both. With a fixed
// percentage, memory grows in proportion to the live bytes (BENCHMARKS.md allows
// 1.5 times the memory for 8 times the proxies). With a memory limit, the collector
// runs all the time once the live bytes exceed the limit. With a growth of 160 MB,
// the command check over 2,000 proxies takes 10.2 s of CPU and 240 MB. With 96 MB,
// it takes 11.8 s and 200 MB.
const (
	growth       = 160 << 20
	leastPercent = 40
	mostPercent  = 400
)

// keptPercent replaces mostPercent in a run that keeps a large file in memory. The
// file counts as live bytes, so with mostPercent the heap would grow by four times its
// size. Printing a dump of 13.5 MB takes 81 MB and 197 ms of CPU with this value; with
// mostPercent it takes 101 MB and 231 ms.
const keptPercent = 150

// TuneGC makes the process set its GC percentage after each collection, according to
// the number of live bytes. It does nothing if the environment variable GOGC is set.
func (w *World) TuneGC() {
	if w.Env("GOGC") == "" {
		w.heapPercent = &atomic.Int64{}
		w.heapPercent.Store(mostPercent)
		debug.SetGCPercent(mostPercent)
		runtime.SetFinalizer(&gcTuner{percent: mostPercent, most: w.heapPercent}, (*gcTuner).tune)
	}
}

// KeepsLargeFile makes the heap grow less from now on, because the run keeps a large
// file in memory. It does nothing if the process doesn't tune the GC percentage.
func (w *World) KeepsLargeFile() {
	if w.heapPercent != nil {
		w.heapPercent.Store(keptPercent)
		debug.SetGCPercent(keptPercent)
	}
}

// A gcTuner sets the GC percentage in its finalizer. Nothing refers to the
// gcTuner, so the finalizer runs after every garbage collection.
type gcTuner struct {
	percent int
	most    *atomic.Int64 // the largest percentage that is set
	_       *gcTuner      // this pointer keeps the runtime from combining the gcTuner with other small objects, which might prevent its finalizer
}

func (t *gcTuner) tune() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if v := live[0].Value; v.Kind() == metrics.KindUint64 {
		most := int(t.most.Load())
		percent := most
		if n := v.Uint64(); n > 0 {
			percent = int(min(max(growth*100/n, leastPercent+50)-50, uint64(most)))
		}
		if percent != t.percent {
			debug.SetGCPercent(percent)
			t.percent = percent
		}
	}
	runtime.SetFinalizer(t, (*gcTuner).tune)
}
