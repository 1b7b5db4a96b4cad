package live

import "sync/atomic"

// Stats tell how far the work is: how many answers were asked for and are
// done, well or not, and how many bytes of them came, unpacked.
type Stats struct {
	Asked, Done, Bytes int64
}

// counters are Stats that several goroutines count.
type counters struct{ asked, done, bytes atomic.Int64 }

func (c *counters) stats() Stats {
	done := c.done.Load() // first: never more than were asked for
	return Stats{Asked: c.asked.Load(), Done: done, Bytes: c.bytes.Load()}
}

// begin counts an answer that is asked for; the function it gives counts it
// as done.
func (c *counters) begin() (done func()) {
	c.asked.Add(1)
	return func() { c.done.Add(1) }
}
