// Package recording writes a snapshot of a mesh: all answers of istiods and of
// the API server, and those of the proxies, each redacted before it is written.
// A few proxies are asked at a time and the files are written in a fixed order,
// so that memory does not grow with the mesh and two recordings of one mesh can
// be compared.
//
// It does not know the archive format (package transport) nor what is a secret
// (package redact).
//
// Start with recording.go; plan.go says which files a snapshot has.
package recording
