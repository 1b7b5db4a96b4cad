// Package trace follows requests through the proxies of the document: match,
// trace and unreachable of the query language. It reads a proxy's sections, asks
// package routing for Envoy's decisions, and says for each step what was decided
// and why.
//
// Start with walk.go: a walk is one request on its way through one proxy, from
// the listener (listener.go) by the filters and routes (http.go) to clusters and
// endpoints (cluster.go), and on into the next proxy (through.go, tunnel.go).
//
// The package loads only what lies on the request's way: sections are asked for
// elements by name where that is possible. A part that can't be read ends the
// walk with what was found so far, and is named in the result; it is no error.
package trace
