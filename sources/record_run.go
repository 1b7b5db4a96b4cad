package sources

import (
	"context"
	"sync"
)

// ahead is how many units may be asked for, for each worker, before those in
// front of them are written.
const ahead = 4

// run asks several units at once and writes them in order. What was asked for
// and not written is bounded, so that one slow proxy makes the others wait
// rather than fill memory or disk.
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
	tickets, work := make(chan struct{}, workers*ahead), make(chan *unit)
	group.Go(func() {
		defer close(work)
		for _, u := range units {
			select {
			case tickets <- struct{}{}:
			case <-ctx.Done():
				return
			}
			work <- u // some worker takes it: they end with work only
		}
	})
	for range workers {
		group.Go(func() {
			for u := range work {
				c.ask(ctx, u)
			}
		})
	}
	for _, u := range units {
		if err := c.await(ctx, u); err != nil {
			return err
		}
		<-tickets
	}
	return nil
}

// await writes a unit when it is there.
func (c *recorder) await(ctx context.Context, u *unit) error {
	select {
	case <-u.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if u.err != nil {
		return u.err
	}
	return c.write(ctx, u)
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
