// Package encode writes a value as JSON, in jq's and kubectl's layouts, and
// makes it a plain Go value for encoders of other notations.
//
// A value may be lazy: it is loaded when it is encoded, its next members at
// the same time, and an unavailable part becomes null. The package doesn't
// know what is encoded, nor where the text goes. Read [Encoding] first. It is
// written by hand since encoding/json can neither stop within a value nor load
// one while it encodes: a result need not fit in memory.
package encode
