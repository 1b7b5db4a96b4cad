// Package recording writes a snapshot of a mesh. The snapshot contains all
// answers of the istiods and of the API server, and the answers of the proxies.
// Each answer is redacted before it is written. Only a few proxies are read at
// a time, so that memory does not grow with the mesh. The files are written in
// a fixed order, so that two recordings of the same mesh can be compared.
//
// The package does not know the archive format (see package transport) nor what
// must be redacted (see package redact).
//
// Start with recording.go; plan.go lists the files of a snapshot.
package recording
