// Package eval runs queries: it compiles a syntax tree of package syntax into closures,
// and evaluates these over values that may be lazy (loaded when they are first read). It
// implements the semantics of jq, the limits of a run, and the handling of faults. A
// fault is a part of the mesh that could not be loaded. The package contains nothing
// about clusters, files or printers: only sources/mesh provides the values, and
// determines what reading them costs.
//
// Begin with compile.go, then query.go. A query is compiled to [node]s; each node passes
// its results on to the next one. If the elements of an iteration still have to be
// loaded, the rest of the pipeline is evaluated for several elements at once (package
// ahead). The steps of reduce and foreach depend on one another, so they run one at a
// time; only their loads are started early, by workers called scouts. Packages values and
// builtin contain the operations on values.
//
// # Invariants
//
// The test with an invariant's number tests it: TestInvariant1 and so on.
//
//  1. Values are read in one way: through Force and Deep of a [values.Task]. So a
//     lazy value has the same results as the value that it loads.
//
//  2. Only what is read is loaded. A value is not read when it is passed on, put
//     into an array or an object, replaced or deleted, or shown in an error, nor
//     when a path to it is taken or its existence is tested. But try and ? read a
//     section that is their result, to find out whether it is available.
//
//  3. The order is sequential. Results, faults, notes and the error that ends a
//     run arrive as if all happened in one goroutine, with any number of workers.
//     The functions in [RunOptions], except Finish, and out are called one at a
//     time, in the goroutine that called Run.
//
//  4. Work that was done ahead and is not used has no effect. It raises no error
//     and reports no fault and no note.
//
//  5. Only these may block: a Force or a Deep, which waits for a permit to load
//     and then for the load; a worker whose results are not taken; a source that
//     is too far ahead; the consumer, which waits for the first element in the
//     queue; and the caller's functions. Code that holds a lock never blocks. A
//     slow consumer also slows the workers ahead of it, so that stopping early
//     wastes little.
//
//  6. The first element in the queue may always load, so the run always advances.
//     Other elements may load while fewer than Workers elements do. Unless it is
//     known that all results are needed, only four may load at first. While the
//     consumer waits for the first element, later elements that are done are
//     parked: they no longer count against the limit. So a few sources that never
//     respond delay no others, and their timeouts run at the same time.
//
//  7. A run is cancelled by the end of the context, by an uncaught error, or by a
//     consumer that needs no more results. Each of these ends all work that runs
//     ahead for it, at its next read or check of the context. When Run returns,
//     none of its goroutines is left. (A function of gojq that can't be
//     interrupted may still be finishing; its result is dropped.)
//
//  8. A fault drops a proxy: the one of the innermost iteration over proxies in
//     which the fault occurs. That iteration continues. The results that the proxy
//     already had remain. The state of a reduce or foreach is the one from before
//     the proxy. An update leaves the proxy's part of the document unchanged. try,
//     ?, ?// and catch take precedence. Outside of such an iteration a fault ends
//     the run.
//
//  9. Memory is bounded. The evaluator keeps only references that the query still
//     needs. The work ahead is limited by elements (1024 started), results (256
//     buffered for each element) and loads (invariant 6). With parked elements
//     there are at most 8192 elements. For scouts, at most eight elements per
//     worker are parked, because the document keeps what they load. While the
//     query uses an eighth of its memory, no element is parked and no more results
//     are buffered. [f] | length, any, all, first, limit, add(f) and isempty keep
//     no results.
//
//  10. To a query, values never change. The first update of a value copies the part
//     on the updated path. The next update in the same goroutine changes that copy
//     in place ([object.Object.With], and lists in package values). The value from
//     before the update remembers how to undo the change, and makes its own copy
//     if it is read again. Before another goroutine receives values, all existing
//     values are frozen: they can no longer be changed in place
//     ([values.Task.Freeze]).
//
//  11. A run is bounded. Memory is counted before it is allocated, and the live
//     heap is measured. Calls and nested values have a limited depth. Loops and
//     calls check for the end of the context every 256 steps.
//
//  12. Builtins with effects outside of the query (input, debug, stderr, halt) keep
//     the whole run in one goroutine, so that no effect occurs too early.
//
//  13. An iteration over a [mesh.Narrower] skips the elements for which the next
//     condition in the pipeline is known to be false, if that condition tests a
//     field that is a string or null. A skipped element would have caused no
//     result, no error and no note. To find these elements, nothing is evaluated
//     that could fail or has to be loaded, and the outcome is always the same. The
//     iteration's outcome is always the same, too, even if the array returns more
//     elements than necessary. In a path expression, where positions matter, no
//     element is skipped.
//
//  14. Known facts about an object are used without loading it ([mesh.Known]): the
//     members that were requested, the fact that it is an object, and the fact
//     that it is true. Reading anything else loads all of it. Results don't depend
//     on which members are known. Parts from different times are never combined.
package eval
