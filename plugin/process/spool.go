package process

import (
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// mostSpooled is the default limit, in bytes, for the total size of a run's
// temporary files. If half of the free space on their file system is less than
// this, half of the free space is the limit.
const mostSpooled = 4 << 30

// NewQuota returns the size limit for the temporary files in dir. asked is the
// value of --spool in bytes, which is the limit. If it is 0, the limit is 4 GiB
// or half of the free space, whichever is less.
func NewQuota(asked int64, dir string, free func(dir string) (int64, bool)) *transport.Quota {
	limit, hint := asked, "--spool allows more"
	if limit == 0 {
		limit = mostSpooled
		if n, ok := free(dir); ok && n/2 < limit {
			limit, hint = n/2, "half of what is free in "+dir+"; --spool allows more"
		}
	}
	return transport.NewQuota(limit, hint)
}
