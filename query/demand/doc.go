// Package demand says what a query will read, so that a source can be asked for
// no more. It knows the language and the document's kinds; it runs nothing, asks
// no source and sees no value.
//
// The contract, from what the query will read to what is requested:
//
//  1. Before the run, [Of] derives a [Tree] from the text of the query: what is
//     read of the document. [Use.Hint] turns the part of each section into a
//     [mesh.Hint]: which fields, whether only the number of elements, or whether a
//     few elements will be asked for by their names.
//  2. The first read of a section requests what the hint says, if that costs the
//     Envoy less. Its elements are then partial objects ([mesh.Partial]): the
//     fields that were requested are known, and reading any other field requests
//     the whole section.
//  3. While the query runs, an iteration whose next step compares the elements'
//     names asks a [mesh.Narrower] for the elements of these [Names] only.
//  4. The document is the same whatever was requested. A tree is advice: it should
//     hold all that is read, and is wider where that isn't certain. If a query
//     reads more than the tree says, that costs one more request for each section.
//     If the section has changed meanwhile, the two answers are of different
//     moments: they are never mixed, and the read is a fault of the proxy
//     ([mesh.ChangedError]).
//
// There is no second run of a query with everything requested at once: it was
// needed only when a tree was too narrow and the section changed within the
// same run, and cost a flag in five places.
//
// Begin with tree.go, then analysis.go. A tree is made from the end of the query
// to its beginning: what is read of the results gives what is read of the input.
// Calls are followed into their definitions; a variable collects what is read of
// it, and passes that on to the value that it was bound to.
package demand
