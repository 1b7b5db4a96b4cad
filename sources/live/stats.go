package live

import "sync/atomic"

// Stats is the progress of the requests: how many requests were sent, how many of
// them have ended (successfully or not), and how many bytes were received, after
// decompression.
type Stats struct {
	Asked, Done, Bytes int64
}

// counters are the values of [Stats], which several goroutines may update at
// once.
type counters struct{ asked, done, bytes atomic.Int64 }

func (c *counters) stats() Stats {
	done := c.done.Load() // done is read before asked, so that it never exceeds asked
	return Stats{Asked: c.asked.Load(), Done: done, Bytes: c.bytes.Load()}
}

// begin counts a request. The returned function counts the request as done.
func (c *counters) begin() (done func()) {
	c.asked.Add(1)
	return func() { c.done.Add(1) }
}
