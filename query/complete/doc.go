// Package complete finds the possible continuations of an unfinished query: the fields,
// functions, variables, keywords and strings that may follow at its end.
//
// The package knows the query language, and a schema tells it the shapes (kinds and
// fields) of the document's objects. It has no access to the document itself. Some
// candidates can only be found by reading values: names, labels, and the members of an
// object of unknown shape. For these the package writes a query that reads the values,
// and the caller runs that query ([Options.Look]).
//
// Completion has four steps. First, the words of the source determine what may follow at
// its end: a field, a string, or the start of a term (position.go). Second, a mark is
// inserted at the cursor and all open brackets are closed, so that the source can be
// parsed. Third, the query is interpreted with shapes instead of values (infer.go). The
// shapes that reach the mark determine what may follow. For this step, the functions of
// jq and of the library are defined on shapes (shapes.jq). Last, the candidates are
// listed.
//
// The result is only advice. If a shape is unknown, the package returns no candidates.
package complete
