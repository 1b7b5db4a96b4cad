// Package decode reads JSON: documents in storage, whose values are decoded when they
// are first read, and plain streams of values. Where jq's own ways of reading are
// needed (events, sequences, its error messages), query/jsontext is used instead.
//
// It reads a document of any size in one streaming pass through a 64 KB window. A tree
// of [Node]s selects which parts are decoded, which are kept as offsets into the bytes
// (a [Value], which is decoded when it is first read) and which are skipped. A [Shape]
// describes how the names of a message are written in the document. Names are
// converted while reading, at every level that is decoded or kept.
//
// The whole document is checked, including the skipped parts: grammar, numbers,
// escapes, control characters, literals, truncation, and bytes after the value. Only
// UTF-8 isn't checked in skipped parts. In kept strings an invalid byte or a lone
// surrogate becomes U+FFFD. If two members have the same name, the last one wins.
//
// Documents that have much content in common can share the decoded values through a
// table, [Twins].
//
// The package contains nothing specific to Envoy or Istio. The callers provide shapes,
// nodes and bytes, and interpret the results.
package decode
