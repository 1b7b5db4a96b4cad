// Package complete tells how a query that is being written may go on: which
// fields, functions, variables, keywords and strings may stand at its end.
//
// It knows the language, and by a schema what the document's objects hold. It
// knows neither the document itself nor who holds it: where only a look at
// values can tell (a name, a label, what is in an object of any shape), it says
// what to look at, in a query of its own, and somebody else looks.
//
// It works in four steps. The words of the source say where its end stands:
// behind a dot, in a string, where a term may begin (position). What is open
// there is closed, and a mark is put where the cursor is, so that the source
// can be parsed. Then the query is walked as if it ran, with shapes in place of
// values (infer): what comes to the mark is what may be gone on with. Functions
// of jq and of the library are definitions over shapes (shapes.jq). Last come
// the candidates.
//
// None of it is more than advice. A shape that isn't known is no shape, and
// nothing is offered for it.
package complete
