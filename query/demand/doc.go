// Package demand derives from a query which parts of the document it will read, so
// that a source requests only those. It knows the query language and the kinds of
// the document. It runs no query, contacts no source and reads no value.
//
// The contract between a query and the requests is:
//
// 1. Before the run, [Of] derives a [Tree] from the text of the query: the parts
// of the document that are read. [Use.Hint] converts the part of each section to a
// [mesh.Hint]. A hint contains the fields, or that only the number of elements is
// needed, or that a few elements will be requested by their names.
//
// 2. The first read of a section requests only the part in the hint, if that is
// cheaper for the Envoy. Its elements are then partial objects ([mesh.Partial]):
// the requested fields are known, and reading any other field requests the whole
// section.
//
// 3. If the query iterates over a section and its next step compares the elements'
// names, only the elements with these [Names] are requested, from a
// [mesh.Narrower].
//
// 4. The results never depend on what was requested. A tree is advice: it should
// include everything that the query reads, and it includes more if that isn't
// certain. If a query reads more than its tree includes, each section costs one
// more request. If the section has changed in the meantime, the two responses
// contradict each other. They are never mixed: the read becomes a fault of the
// proxy ([mesh.ChangedError]).
//
// A query is never run a second time with everything requested at once. An earlier
// version did that if a tree was too narrow and the section changed during the
// run, and it required a flag in five packages.
//
// Begin with tree.go, then analysis.go. The analysis follows the query from its
// end to its beginning: the part that is read of the results determines the part
// that is read of the input. It analyzes a call by the body of its definition. It
// collects the parts that are read of a variable, and adds them to the value that
// was bound to the variable.
package demand
