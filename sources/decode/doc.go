// Package decode reads JSON: from bytes to the values of the document, and plain
// input. Where jq's own ways of reading are asked for (events, sequences, its
// words of errors), query/jsontext reads instead.
//
// It reads a document in one streaming pass through a 64 KB window, whatever
// the size. A tree of [Node]s says what is built, what is kept as an offset
// into the bytes (a [Value], decoded when it is touched) and what is skipped;
// a [Shape] says how the names of a message are written in the document, and
// names are converted on the way, at every level that is built or kept.
//
// All of it is checked, also what is skipped: grammar, numbers, escapes,
// control characters, literals, truncation, what follows the value. Only
// UTF-8 is not checked where nothing is kept; in kept strings a wrong byte or
// a lone surrogate becomes U+FFFD. Of two members with one name the last wins.
//
// Documents that say much alike can share what is built of them, by a table of
// [Twins].
//
// It knows neither Envoy nor Istio: shapes, nodes and bytes come from the
// callers, and so does the meaning of what they find.
package decode
