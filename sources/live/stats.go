package live

import "sync/atomic"

// Stats are the progress of the requests: how many answers were requested, how many
// of these are done, successfully or not, and how many bytes arrived, after
// decompression.
type Stats struct {
	Asked, Done, Bytes int64
}

// counters are Stats that several goroutines may update.
type counters struct{ asked, done, bytes atomic.Int64 }

func (c *counters) stats() Stats {
	done := c.done.Load() // done is read first, so that it never exceeds asked
	return Stats{Asked: c.asked.Load(), Done: done, Bytes: c.bytes.Load()}
}

// begin counts a requested answer. The returned function counts it as done.
func (c *counters) begin() (done func()) {
	c.asked.Add(1)
	return func() { c.done.Add(1) }
}
