// Package redact takes out of an answer what nobody but its owner should see,
// and leaves every other byte as it was.
//
// It goes by what is known to be harmless: it reads a body along the schema of
// the message that it is (Envoy's, Istio's, Kubernetes', and what istiod and
// ztunnel write), and one table, [Rows], says of which fields the text stays.
// Any other text becomes a keyed digest, so that what was equal stays equal;
// keys, tokens and passwords by type become a fixed word. A message that no
// schema has, and a field that takes anything, are text through and through.
//
// It does not know where a body came from or where it goes. It never holds a
// document: memory does not grow with the size of a body, only (by some bytes a
// level) with its depth.
//
// What it replaces are strings, and long numbers in what has no schema. Empty
// strings, true, false and null stay, and so do names: that something is there
// is no secret.
package redact
