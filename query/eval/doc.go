// Package eval runs queries: it compiles a tree of query/syntax and evaluates
// it over values that may be lazy. It knows jq's meaning, the bounds of a run,
// and what a fault is; nothing of clusters, files or printers. What the values
// stand for, and what a look into one costs, it learns from sources/mesh alone.
//
// A query is compiled into closures that push each result on to what follows
// ([node], [yield]). An iteration that gives values which are still to be
// loaded has the rest of its pipeline run ahead, for several of them at once
// ([region], [queue]); reduce and foreach, which can't, are scouted.
//
// # Invariants
//
// Each is held by the test of its number, TestInvariant1 and so on.
//
//  1. There is one door. A value is looked into through force and deep only,
//     so that a lazy value and the value it stands for give the same results.
//
//  2. Only what is looked into is loaded. To pass a value on, to put it into
//     an array or an object, to take a path to it, to replace or delete it, to
//     ask whether it is there, or to show it in an error is no look. But try
//     and ? look at a section that they give: whether it can be had.
//
//  3. Order is that of doing one after the other. Results, faults, notes and
//     the error that ends a run come as if all happened in one goroutine, with
//     any number of workers. The functions given in [RunOptions] but Finish,
//     and out, are called one at a time, in the goroutine that called Run.
//
//  4. What was only looked at ahead did not happen. What a consumer that
//     stopped did not come to raises no error, tells no fault and no note.
//
//  5. Who may block: a Force or a Deep, which waits at its gate and then for
//     its load; a worker whose results are not taken; a source that is too far
//     ahead; the consumer, for the first in line; and the functions that the
//     caller gave. Nobody blocks holding a lock. A consumer that is slow holds
//     up those ahead of it, so that stopping early wastes little.
//
//  6. The first in line may always load, so that something always moves. The
//     others load while fewer than Workers do, and begin with four unless it
//     is known that all results are wanted. While the consumer waits for the
//     first, what is done behind it is set aside: it counts no more, so that
//     fewer than Workers that never answer hold up nobody else, and are waited
//     for together.
//
//  7. Who cancels: the end of the context; an error that nobody caught; a
//     consumer that has enough. Either ends all that runs ahead for it, at its
//     next look or tick. When Run returns nothing of it is running. (A
//     function of gojq's that can't be interrupted may still be finishing,
//     unheard.)
//
//  8. A fault drops the proxy of the innermost iteration over proxies that the
//     look belongs to, and that iteration goes on; what it already gave
//     stays, the state of a reduce or foreach stays as it was before that
//     proxy, and what an update would have changed stays as it is. try, ?, ?//
//     and catch come first. Without such an iteration the run ends with it.
//
//  9. What is pinned: the evaluator keeps references, and only those that the
//     query still needs. What is ahead is bounded by elements (1024 begun),
//     results (256 waiting for each) and loads (invariant 6); with what is set
//     aside by elements (8192; of scouts' eight for each worker, for what they
//     load is kept by the document), and by bytes: none is set aside, and no
//     more results wait, while the query holds an eighth of its memory.
//     [f] | length, any, all, first, limit, add(f) and isempty keep nothing.
//
//  10. Values never change, as far as a query can see. The first update of a
//     value copies what lies on its path. The next update in the same goroutine
//     changes that copy in place ([object.Object.With], [list]); the value
//     before the update remembers how to undo the change, and makes its own
//     copy if it is read again. Before another goroutine gets values, no value
//     made so far may be changed in place any more ([mach.freeze]).
//
//  11. A run is bounded. Memory is counted before it is taken, and what lives
//     is measured; calls and nested values have a depth; loops and calls see
//     the end of the context every 256 steps.
//
//  12. What acts on the outside (input, debug, stderr, halt) keeps the whole
//     run in one goroutine: nothing happens before its turn.
//
//  13. What is not wanted is not missed. An iteration leaves out those elements
//     of a [Narrower] of which the first condition behind it says, by a field
//     that is a string or null, that nothing comes of them: no result, no
//     error, no note. To learn what a condition wants evaluates nothing that
//     could fail or be loaded, and gives the same whenever it is asked; so does
//     the iteration, whatever more the array answers. Where positions count,
//     in a path expression, all elements are there.
//
//  14. What is known of an object is had without a look into it ([mesh.Known]):
//     its members that were asked for, that it is an object, that it is true.
//     Any other look gets all of it. Which members are known changes no
//     result; parts of two moments are never mixed.
package eval
