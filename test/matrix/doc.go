// Package matrix takes a mesh apart: it removes one part of a snapshot at
// a time, and holds that no answer then looks clean. It knows what a part of a
// snapshot is and how answers may differ; it knows nothing of what a check or
// a query does.
package matrix
