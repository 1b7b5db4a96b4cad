// Package demand derives from a query what it will read, so that a source
// requests no more than that. It knows the language and the kinds of the
// document. It runs nothing, contacts no source and reads no value.
//
// The contract, from what the query will read to what is requested:
//
// 1. Before the run, [Of] derives a [Tree] from the text of the query: the parts
// of the document that are read. [Use.Hint] turns the part of each section into a
// [mesh.Hint]: which fields, whether only the number of elements, or whether a
// few elements will be requested by their names.
//
// 2. The first read of a section requests what the hint says, if that is cheaper
// for the Envoy. Its elements are then partial objects ([mesh.Partial]): the
// requested fields are known, and reading any other field requests the whole
// section.
//
// 3. While the query runs, an iteration whose next step compares the elements'
// names requests only the elements of these [Names] from a [mesh.Narrower].
//
// 4. The document is the same whatever was requested. A tree is advice: it should
// include everything that is read, and is wider if that isn't certain. If a query
// reads more than its tree says, that costs one more request for each section. If
// the section has changed in the meantime, the two responses are of different
// times. They are never mixed: the read becomes a fault of the proxy
// ([mesh.ChangedError]).
//
// A query is never run a second time with everything requested at once. That was
// needed only if a tree was too narrow and the section changed during the run,
// and it required a flag in five places.
//
// Begin with tree.go, then analysis.go. A tree is made from the end of the query
// to its beginning: what is read of the results determines what is read of the
// input. Calls are followed into their definitions. A variable collects what is
// read of it, and passes that on to the value that it was bound to.
package demand
