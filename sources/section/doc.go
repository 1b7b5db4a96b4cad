// Package section loads the sections of proxies: clusters, listeners, routes and
// the rest, each when it is first read. It decides how a live Envoy is asked: for
// a whole section, for some elements of it (narrow.go), or for some fields of
// all (excerpt.go), and which old Envoys do not understand such requests. It
// also loads what istiod would send to a proxy (desired.go).
//
// It does not know how answers are parsed (packages envoy and ztunnel), nor which
// proxies there are (package inventory).
//
// Start with section.go.
package section
