// Package printers puts the results of a query on a stream: as jq's stream, as
// kubectl's tables, in kubectl's -o formats.
//
// It knows how each kind of the document looks in a table, how jq and kubectl
// lay out what they print, and which part of a value a format looks at: a
// value may be lazy, and only what is printed is loaded. It knows neither the
// query nor where values come from, opens no file and reads no clock: time,
// colours and files are given in [Options].
package printers
