// Package jsontext reads JSON as jq 1.8.2 does where more is asked than values
// one after the other: as a stream of events, as a sequence of texts (RFC 7464),
// and with jq's words about what is wrong. It is slower than the decoder of
// sources, which reads everything else.
package jsontext
