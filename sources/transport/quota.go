package transport

import "sync"

// A Quota bounds what the temporary files of several depots hold together. A
// nil Quota bounds nothing.
type Quota struct {
	limit int64
	hint  string

	mu   sync.Mutex
	held int64
}

// NewQuota makes a quota of so many bytes. The hint ends the message of what is
// refused: how more is allowed.
func NewQuota(bytes int64, hint string) *Quota { return &Quota{limit: bytes, hint: hint} }

// take counts bytes that a file is about to grow by, or refuses them.
func (q *Quota) take(bytes int64) error {
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if bytes > q.limit-q.held {
		return &limitError{"needs more than " + byteCount(q.limit) + " for temporary files: " + q.hint}
	}
	q.held += bytes
	return nil
}

// giveBack counts bytes of a file that is gone.
func (q *Quota) giveBack(bytes int64) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held -= bytes
}
