// Package columns defines the tables of the document's kinds: the columns of
// each kind, the fields that each column reads, and how its cells are
// formatted. It also draws the trace of a request as a tree.
//
// Package printers lays out and prints the tables. Package columns loads only
// the data that a cell shows. Read [Kind] and [Column] first, then a table,
// such as envoy.go.
package columns
