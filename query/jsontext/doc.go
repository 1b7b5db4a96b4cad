// Package jsontext parses JSON as jq 1.8.2 does, where more is needed than a sequence of
// values: a stream of events, a sequence of texts (RFC 7464), or jq's error messages. It
// is slower than the decoder of package sources, which is used in all other cases.
package jsontext
