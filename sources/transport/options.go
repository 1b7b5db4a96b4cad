package transport

import (
	"fmt"
	"io"
)

// OpenOptions says how a source is opened. The zero value is good for a path.
type OpenOptions struct {
	// Stdin is read when the path is "-".
	Stdin io.Reader

	// TempDir is the folder for the temporary file; empty: the system's. The
	// file has no name while it is in use (on Windows: until Close).
	TempDir string

	// Quota bounds the temporary files of several sources together; nil: only
	// MaxUnpacked bounds this one.
	Quota *Quota

	// MaxMemory is how many unpacked bytes are held in memory before the
	// temporary file is used; 0: 64 MiB; negative: none.
	MaxMemory int64

	// MaxUnpacked is how many bytes an archive may unpack to in all, what is
	// skipped included; 0: 8 GiB. It also bounds what is read from stdin.
	MaxUnpacked int64

	// MaxMember is how large one file of an archive may be; larger ones are
	// left out and told as a fault; 0: 2 GiB.
	MaxMember int64

	// MaxEntries is how many entries an archive may have; 0: 200,000.
	MaxEntries int
}

// The limits that hold where OpenOptions says nothing.
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

// limitError ends the opening of a source: it is larger than it may be.
type limitError struct{ what string }

func (e *limitError) Error() string { return e.what }

func tooLarge(limit int64) error {
	return &limitError{"unpacks to more than " + byteCount(limit)}
}

// byteCount prints a number of bytes as people do: "8 GiB", "1.5 MiB", "17 bytes".
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
