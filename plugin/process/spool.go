package process

import (
	"github.com/meshq/kubectl-meshq/sources/transport"
)

// mostSpooled is how much a run's temporary files may hold together where
// --spool doesn't say, if half of what is free on their file system isn't less.
const mostSpooled = 4 << 30

// NewQuota returns the limit of temporary files in a folder: that of --spool,
// or if it is 0, 4 GiB or half of the free space.
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
