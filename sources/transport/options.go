package transport

import (
	"fmt"
	"io"
	"sync"
)

// OpenOptions configure how a source is opened. The zero value is sufficient to
// open a path.
type OpenOptions struct {
	// Stdin is the input for the path "-".
	Stdin io.Reader

	// TempDir is the directory for the temporary file. If it is empty, the
	// system's temporary directory is used. The file has no name while it is in
	// use, except on Windows, where it has a name until Close.
	TempDir string

	// Quota limits the total size of the temporary files of several sources. If it
	// is nil, only MaxUnpacked limits the temporary file of this source.
	Quota *Quota

	// KeepFiles caches the content of a file in memory from its first read on, up to
	// a limit. It is meant for runs that read files completely, so that they read
	// each file only once.
	KeepFiles bool

	// MaxMemory is the maximum number of unpacked bytes in memory. Further bytes
	// are stored in the temporary file. 0 means 64 MiB; with a negative value,
	// all bytes are stored in the file.
	MaxMemory int64

	// MaxUnpacked is the maximum number of bytes to which an archive may unpack,
	// including skipped files. 0 means 8 GiB. It also limits the bytes that are
	// read from stdin.
	MaxUnpacked int64

	// MaxMember is the maximum size in bytes of a file in an archive. A larger
	// file is skipped and reported as a fault. 0 means 2 GiB.
	MaxMember int64

	// MaxEntries is the maximum number of entries in an archive. 0 means 200,000.
	MaxEntries int
}

// keeper returns the cache for the content of files, or nil if files are not
// cached.
func (o OpenOptions) keeper() *keeper {
	if o.KeepFiles {
		return &keeper{}
	}
	return nil
}

// These are the limits that apply where a field of OpenOptions is zero.
const (
	defaultMemory   = 64 << 20
	defaultUnpacked = 8 << 30
	defaultMember   = 2 << 30
	defaultEntries  = 200_000
)

func (o OpenOptions) withDefaults() OpenOptions {
	if o.MaxMemory == 0 {
		o.MaxMemory = defaultMemory
	}
	if o.MaxUnpacked <= 0 {
		o.MaxUnpacked = defaultUnpacked
	}
	if o.MaxMember <= 0 {
		o.MaxMember = defaultMember
	}
	if o.MaxEntries <= 0 {
		o.MaxEntries = defaultEntries
	}
	return o
}

// limitError is the error for a source that exceeds a limit and can't be opened.
type limitError struct{ what string }

func (e *limitError) Error() string { return e.what }

func tooLarge(limit int64) error {
	return &limitError{"unpacks to more than " + byteCount(limit)}
}

// byteCount formats a number of bytes, as in "8 GiB", "1.5 MiB" or "17 bytes".
func byteCount(n int64) string {
	const kib = 1 << 10
	if n < kib {
		return fmt.Sprintf("%d bytes", n)
	}
	v, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if v /= kib; v < kib {
			break
		}
	}
	if v == float64(int64(v)) {
		return fmt.Sprintf("%d %s", int64(v), unit)
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// A Quota limits the total size of the temporary files of several depots. A nil
// Quota means no limit.
type Quota struct {
	limit int64
	hint  string

	mu   sync.Mutex
	held int64
}

// NewQuota returns a quota of the given number of bytes. hint is the end of the
// error message. It describes how to raise the limit.
func NewQuota(bytes int64, hint string) *Quota { return &Quota{limit: bytes, hint: hint} }

// take counts the bytes by which a temporary file is about to grow. It returns
// an error if they exceed the quota.
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

// giveBack subtracts the bytes of a temporary file that was removed.
func (q *Quota) giveBack(bytes int64) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held -= bytes
}
