// Package encode writes a value as JSON, in jq's and kubectl's layouts. It also
// converts a value to plain Go values, for encoders of other formats.
//
// A value may be lazy: each part is loaded when it is encoded, together with
// the members that follow it. An unavailable part becomes null. The package
// depends neither on the meaning of the value nor on the destination of the
// text. Read [Encoding] first.
//
// The encoder is hand-written because encoding/json can neither pause within a
// value nor load parts while it encodes. A result need not fit in memory.
package encode
