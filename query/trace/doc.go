// Package trace follows requests through the proxies of the document. It implements
// the functions match, trace and unreachable of the query language. It reads a
// proxy's sections, calls package routing for Envoy's decisions, and reports for
// each step what Envoy decides and why.
//
// Start with walk.go. A walk is one request on its way through one proxy: from the
// listener (listener.go) through the filters and routes (http.go) to the clusters
// and endpoints (cluster.go), and on into the next proxy (through.go, tunnel.go).
//
// The package loads only the configuration on the request's way. It requests
// elements of a section by name if possible. A part that can't be read isn't an
// error: the walk ends there, and its result contains everything found so far and
// names the missing part.
package trace
