package recording

import (
	"context"
	"sync"
)

// These constants limit the units that were requested but not written yet. The
// first unitsPerWorker units per worker are admitted regardless of their size.
// Beyond those, up to mostUnits are admitted while their answers are smaller than
// mostBytes in total, so that the workers can continue while the next unit in the
// order doesn't answer.
const (
	unitsPerWorker = 4
	mostUnits      = 4096
	mostBytes      = 256 << 20
)

// run requests several units at once and writes them in order. It limits the
// units that were requested but not written: if a slow proxy delays the
// writing, further requests wait, because their answers would fill memory or
// disk.
func (r *recorder) run(ctx context.Context) error {
	units, err := r.plan(ctx)
	if err != nil {
		return err
	}
	r.tally.plan(units)
	ctx, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	open, work := &window{sure: r.Workers * unitsPerWorker, left: make(chan struct{}, 1)}, make(chan *unit)
	group.Go(func() {
		defer close(work)
		for _, u := range units {
			if open.enter(ctx) != nil {
				return
			}
			work <- u // sending doesn't block for long, because the workers run until work is closed
		}
	})
	for range r.Workers {
		group.Go(func() {
			for u := range work {
				r.fetch(ctx, u)
				open.grow(u.size())
				close(u.done)
			}
		})
	}
	for _, u := range units {
		size, err := r.writeWhenDone(ctx, u)
		if err != nil {
			return err
		}
		open.leave(size)
	}
	return nil
}

// A window limits the units that were requested but not yet written.
type window struct {
	sure int           // the number of units that are admitted regardless of their size
	left chan struct{} // receives a signal when a unit leaves the window

	mu    sync.Mutex
	units int
	bytes int64
}

// enter waits until one more unit may be requested.
func (w *window) enter(ctx context.Context) error {
	for !w.admits() {
		select {
		case <-w.left:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (w *window) admits() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.units >= w.sure && (w.units >= mostUnits || w.bytes >= mostBytes) {
		return false
	}
	w.units++
	return true
}

// grow adds the size of a unit's answers to the window.
func (w *window) grow(bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes += bytes
}

// leave removes a unit that was written.
func (w *window) leave(bytes int64) {
	w.mu.Lock()
	w.units--
	w.bytes -= bytes
	w.mu.Unlock()
	select {
	case w.left <- struct{}{}:
	default:
	}
}

// writeWhenDone waits until the requests of a unit have finished, writes the
// unit, and returns the size of its answers.
func (r *recorder) writeWhenDone(ctx context.Context, u *unit) (size int64, err error) {
	select {
	case <-u.done:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if u.err != nil {
		return 0, u.err
	}
	size = u.size()
	return size, r.write(ctx, u)
}
