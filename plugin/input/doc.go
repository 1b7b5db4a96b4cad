// Package input reads the values that a query runs over instead of a mesh: JSON
// values, raw lines, or whole texts. It reads several files as one stream, as jq
// does.
//
// It knows neither queries nor meshes. Read [Inputs] first.
package input
