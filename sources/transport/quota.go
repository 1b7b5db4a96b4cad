package transport

import "sync"

// A Quota limits the total size of the temporary files of several depots. A nil
// Quota means no limit.
type Quota struct {
	limit int64
	hint  string

	mu   sync.Mutex
	held int64
}

// NewQuota returns a quota of this many bytes. The hint ends the error message and
// says how to raise the limit.
func NewQuota(bytes int64, hint string) *Quota { return &Quota{limit: bytes, hint: hint} }

// take counts bytes by which a file is about to grow. It returns an error if they
// exceed the quota.
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

// giveBack subtracts the bytes of a file that was removed.
func (q *Quota) giveBack(bytes int64) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held -= bytes
}
