// Package demand derives from the text of a query which parts of the document the query
// will read, so that a source requests only these parts. It knows the query language and
// the kinds of objects in the document. It runs no query, contacts no source and reads no
// value.
//
// The contract between a query and the requests is:
//
// 1. Before the run, [Of] derives a [Tree] from the text of the query. The tree describes
// the parts of the document that are read. [Use.Hint] converts the part of each section
// to a [mesh.Hint]. A hint says which fields are needed, or that only the number of
// elements is needed, or that a few elements will be requested by name.
//
// 2. The first read of a section requests only the parts in the hint, if that is cheaper
// for the Envoy. The elements are then partial objects ([mesh.Partial]): the requested
// fields are known, and reading any other field requests the whole section.
//
// 3. If the query iterates over a section and its next step compares the elements' names,
// only the elements with these [Names] are requested, from a [mesh.Narrower].
//
// 4. The results of the query never depend on what was requested. The tree should include
// everything that the query reads; where that isn't certain, it includes more. If a query
// reads more than its tree includes, each affected section costs one more request. If the
// section has changed in the meantime, the two responses contradict each other. They are
// never mixed: reading the section then fails ([mesh.ChangedError]).
//
// A query is never run a second time with everything requested at once. An earlier
// version did that if a tree included too little and the section changed during the run.
// It required a flag in five packages.
//
// Begin with tree.go, then analysis.go. The analysis follows the query from its end to
// its beginning: the parts that are read of the results determine the parts that are read
// of the input. A call is analyzed by the body of its definition. The parts that are read
// of a variable are collected, and are then read of the value that the variable has.
package demand
