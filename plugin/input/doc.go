// Package input reads what a query runs over in place of a mesh: JSON values,
// raw lines, or whole texts, of several files as one stream, as jq reads them.
//
// It knows neither queries nor meshes. Read [Inputs] first.
package input
