// Package redact removes secrets from an answer of Envoy, istiod, ztunnel or
// Kubernetes, and leaves every other byte as it was.
//
// It keeps only what is known to be harmless. It reads a body with the schema of its
// message (Envoy's, Istio's, Kubernetes', and those of istiod's and ztunnel's
// answers), and one table, [Rows], which lists the fields whose text is kept. Any
// other text is replaced by a keyed digest, so equal texts stay equal. Keys, tokens
// and passwords that the schema marks as such are replaced by a fixed word. In
// messages without a schema, and in fields that accept any content, every text is
// replaced.
//
// The package doesn't know where a body came from or where it goes. It never keeps a
// whole document in memory: memory use doesn't grow with the size of a body, only
// with its nesting depth (some bytes per level).
//
// Only strings are replaced, and long numbers in content without a schema. Empty
// strings, true, false, null and the names of members stay: it is no secret that a
// field is set.
package redact
