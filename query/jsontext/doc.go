// Package jsontext reads JSON as jq 1.8.2 does, for the uses that need more than
// a sequence of values: a stream of events, a sequence of texts (RFC 7464), and
// jq's error messages. It is slower than the decoder of package sources, which
// reads everything else.
package jsontext
