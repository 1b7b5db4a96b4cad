// Package input reads the values over which a query runs instead of a mesh: JSON
// values, raw lines, or whole texts. It reads several files as one stream, as jq
// does.
//
// The package depends on neither queries nor meshes. Read [Inputs] first.
package input
