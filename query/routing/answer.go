package routing

import "slices"

// Answer is what Envoy would do with a request.
type Answer struct {
	Status int // 0 where a route was found; else what Envoy answers itself: 400, 403, 404

	Route       any    // the route entry, as it is in the document
	VirtualHost string // the name of the virtual host that was chosen; empty for none
	Domain      string // the domain of it that the request's host fits
	Host        any    // the virtual host, as it is in the document; nil for none

	Cluster  string  // the one that is asked; empty where only shares are known
	Clusters []Share // all that may be asked
	URL      string  // the request's URL as it is forwarded; empty where it is not

	RedirectStatus int // 301 and the like; 0 when it is none
	RedirectTo     string
	DirectStatus   int // of a direct response; 0 when it is none

	Unsupported []string // what was met and can't be decided here, each once

	// Undecided is what the choice of a route hangs on and a snapshot doesn't
	// say; then no route is chosen.
	Undecided string

	choice *choice
	routes []any // those of the virtual host, up to the one that was chosen
	asked  *routed
}

// Share is one cluster of a route and how much of the requests it takes, 0 to 1.
type Share struct {
	Name  string
	Share float64

	Criteria any // the metadata that its endpoints have to have, beside the route's
}

// Near is something that a request almost took.
type Near struct {
	Object any
	Why    string // what kept it from being taken
}

// mostNear is how many of them are told.
const mostNear = 5

// Near gives the routes ahead of the chosen one, or all of its virtual host
// where none was, that the request came near to: their path fits, and
// something else doesn't. Where no path fits it gives those with their paths.
func (a *Answer) Near() (near []Near, err error) {
	c := a.choice
	if c == nil {
		return nil, nil
	}
	before := slices.Clone(a.Unsupported)
	var paths []Near
	for _, route := range a.routes {
		m := c.message(route).sub("match")
		if !c.path(m, a.asked) {
			paths = append(paths, Near{route, "the path is not " + pathSaid(m)})
			continue
		}
		if why := c.misses(m, a.asked); why.kind != fits {
			near = append(near, Near{route, why.said(a.asked)})
		}
	}
	a.Unsupported = before
	if near == nil && a.Route == nil {
		near = paths
	}
	if n := len(near); n > mostNear { // the last are the most likely to have been meant
		near = near[n-mostNear:]
	}
	return near, c.err
}
