// Package complete finds the possible continuations of an unfinished query: the
// fields, functions, variables, keywords and strings that may follow at its
// end.
//
// It knows the query language, and the shapes of the document's objects from a
// schema. It has no access to the document itself. Some candidates are only
// found in values: names, labels, the members of an object of unknown shape.
// For these it writes a query that reads the values, and the caller runs that
// query ([Options.Look]).
//
// Completion has four steps. First, the words of the source determine what may
// follow at its end: a field, a string, the start of a term (position.go).
// Second, everything that is still open there is closed, and a mark is inserted
// at the cursor, so that the source can be parsed. Third, the query is walked
// as if it ran, with shapes in place of values (infer.go); the shapes that
// reach the mark determine what may follow. The functions of jq and of the
// library are definitions over shapes (shapes.jq). Last, the candidates are
// listed.
//
// The result is only advice. If a shape is not known, nothing is offered for
// it.
package complete
