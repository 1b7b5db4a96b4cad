// Package columns holds the tables of the document's kinds: for each kind its
// columns, for each column the fields that it reads and how its cell is made.
// It also draws the trace of a request as a tree.
//
// It neither lays out a table nor prints one; package printers does. It loads
// only what a cell shows. Read [Kind] and [Column] first, then a table, such as
// envoy.go.
package columns
