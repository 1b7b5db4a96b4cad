package run

import "time"

const (
	shortestPause = time.Second
	longestPause  = 5 * time.Second
)

// A pause is how long to wait before the mesh is asked again: longer and
// longer while nothing changes.
type pause time.Duration

func (p *pause) next(changed bool) time.Duration {
	*p = min(*p*3/2, pause(longestPause))
	if changed || *p == 0 {
		*p = pause(shortestPause)
	}
	return time.Duration(*p)
}
