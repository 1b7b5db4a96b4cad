// Package section loads the sections of proxies, such as clusters and listeners,
// each at its first use. It chooses the request to a live Envoy: for a whole
// section, for some of its elements (narrow.go), or for some fields of all
// elements (excerpt.go). It also knows which old Envoys don't support such
// requests, and loads the configuration that istiod would send to a proxy
// (desired.go).
//
// It does not know how answers are parsed (see packages envoy and ztunnel), nor
// which proxies a mesh has (see package inventory).
//
// Start with section.go.
package section
