package sources

import (
	"context"
	"sync"
)

// How much may be asked for before what is in front of it is written: some
// units for each worker, whatever they are, and more, behind one that does not
// answer, while they are few and small.
const (
	ahead      = 4
	aheadSmall = 4096
	aheadBytes = 256 << 20
)

// run asks several units at once and writes them in order. What was asked for
// and not written is bounded: one slow proxy makes the others wait rather than
// fill memory or disk.
func (c *recorder) run(ctx context.Context, out *outline) error {
	units, err := c.plan(ctx, out)
	if err != nil {
		return err
	}
	c.tally.plan(units)
	workers := c.Mesh.options.Concurrency
	ctx, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	open, work := &window{sure: workers * ahead, room: make(chan struct{}, 1)}, make(chan *unit)
	group.Go(func() {
		defer close(work)
		for _, u := range units {
			if open.enter(ctx) != nil {
				return
			}
			work <- u // some worker takes it: they end with work only
		}
	})
	for range workers {
		group.Go(func() {
			for u := range work {
				c.ask(ctx, u)
				open.holds(u.size())
				close(u.done)
			}
		})
	}
	for _, u := range units {
		size, err := c.await(ctx, u)
		if err != nil {
			return err
		}
		open.leave(size)
	}
	return nil
}

// A window is what was asked for and is not written.
type window struct {
	sure int           // units that may be in it, of whatever size
	room chan struct{} // poked when one leaves

	mu    sync.Mutex
	units int
	bytes int64
}

// enter waits until one more unit may be asked for.
func (w *window) enter(ctx context.Context) error {
	for !w.admits() {
		select {
		case <-w.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (w *window) admits() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.units >= w.sure && (w.units >= aheadSmall || w.bytes >= aheadBytes) {
		return false
	}
	w.units++
	return true
}

// holds says how large the answers of a unit are.
func (w *window) holds(bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes += bytes
}

// leave says that a unit was written.
func (w *window) leave(bytes int64) {
	w.mu.Lock()
	w.units--
	w.bytes -= bytes
	w.mu.Unlock()
	select {
	case w.room <- struct{}{}:
	default:
	}
}

// await writes a unit when it is there, and says how large its answers were.
func (c *recorder) await(ctx context.Context, u *unit) (size int64, err error) {
	select {
	case <-u.done:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if u.err != nil {
		return 0, u.err
	}
	size = u.size()
	return size, c.write(ctx, u)
}

// A Tally counts what is recorded, while it is.
type Tally struct {
	mu          sync.Mutex
	done, total int
	bytes       int64
}

func (t *Tally) plan(units []*unit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, u := range units {
		t.total += len(u.wants)
	}
}

func (t *Tally) answered(it *item) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
	if it != nil {
		t.bytes += it.body.Size()
	}
}

// Progress tells how far the recording is; without a phase before it is known
// what there is to record.
func (t *Tally) Progress() Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.total == 0 {
		return Progress{}
	}
	return Progress{Phase: "recording", Done: t.done, Total: t.total, Bytes: t.bytes}
}
