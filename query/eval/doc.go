// Package eval runs queries: it compiles a tree of query/syntax into closures and
// evaluates them over values that may be lazy. It knows jq's meaning, the limits of
// a run, and what a fault is; nothing of clusters, files or printers. Values and
// what reading them costs come from sources/mesh alone.
//
// Begin with compile.go, then query.go. A query becomes [node]s that pass each
// result on to what follows. An iteration whose elements are still to be loaded has
// the rest of its pipeline evaluated for several elements at once (package ahead);
// reduce and foreach, which need one state after the other, only have their loads
// begun early, by scouts. Operations on values are in packages values and builtin.
//
// # Invariants
//
// Each is tested by the test of its number, TestInvariant1 and so on.
//
//  1. Values are read in one way: through Force and Deep of a [values.Task]. So a
//     lazy value and the value it stands for have the same results.
//
//  2. Only what is read is loaded. Passing a value on, putting it into an array or
//     an object, taking a path to it, replacing or deleting it, testing whether it
//     is there, and showing it in an error do not read it. But try and ? read a
//     section that is their result, to find out whether it is available.
//
//  3. The order is that of doing one thing after the other. Results, faults, notes
//     and the error that ends a run come as if all happened in one goroutine, with
//     any number of workers. The functions given in [RunOptions], except Finish,
//     and out are called one at a time, in the goroutine that called Run.
//
//  4. What was evaluated ahead and is not used did not happen. It raises no error
//     and reports no fault and no note.
//
//  5. Only these may block: a Force or a Deep, at its gate and then for its load; a
//     worker whose results are not taken; a source that is too far ahead; the
//     consumer, for the first element in line; and the functions that the caller
//     gave. Nothing blocks while it holds a lock. A slow consumer holds up the
//     workers ahead of it, so that stopping early wastes little.
//
//  6. The first element in line may always load, so the run always advances. The
//     others load while fewer than Workers do; unless all results are known to be
//     wanted, only four do at first. While the consumer waits for the first
//     element, elements behind it that are done are parked: they don't count
//     against the limit any more. So a few sources that never answer hold up no
//     others, and their time-outs pass together.
//
//  7. A run is cancelled by the end of the context, by an error that nothing
//     caught, or by a consumer that has enough. Each ends all that runs ahead for
//     it, at its next read or tick. When Run returns, none of its goroutines is
//     left. (A function of gojq's that can't be interrupted may still be finishing;
//     its result is dropped.)
//
//  8. A fault drops the proxy of the innermost iteration over proxies in which it
//     was met, and that iteration goes on. The proxy's results so far stay; the
//     state of a reduce or foreach stays as it was before the proxy; an update
//     leaves the proxy's part as it is. try, ?, ?// and catch come first. Outside
//     of such an iteration a fault ends the run.
//
//  9. Memory is bounded. The evaluator keeps references, and only those that the
//     query still needs. What is ahead is bounded by elements (1024 begun),
//     results (256 waiting for each) and loads (invariant 6). With parked elements
//     there are at most 8192 (of scouts' elements eight for each worker, because
//     the document keeps what they load). While the query holds an eighth of its
//     memory, no element is parked and no more results wait. [f] | length, any,
//     all, first, limit, add(f) and isempty keep nothing.
//
//  10. Values never change, as far as a query can see. The first update of a value
//     copies what lies on its path. The next update in the same goroutine changes
//     that copy in place ([object.Object.With], and lists in package values); the
//     value before the update remembers how to undo the change, and makes its own
//     copy if it is read again. Before another goroutine gets values, no value made
//     so far may be changed in place any more ([values.Task.Freeze]).
//
//  11. A run is bounded. Memory is counted before it is taken, and what is alive is
//     measured; calls and nested values have a limited depth; loops and calls
//     notice the end of the context every 256 steps.
//
//  12. Builtins with effects outside of the query (input, debug, stderr, halt) keep
//     the whole run in one goroutine: nothing happens before its turn.
//
//  13. An iteration over a [mesh.Narrower] leaves out the elements for which the
//     first condition behind it is known to yield nothing, by a field that is a
//     string or null: no result, no error, no note. Finding out which those are
//     evaluates nothing that could fail or be loaded, and always has the same
//     answer; so does the iteration, whatever more the array returns. In a path
//     expression, where positions count, no element is left out.
//
//  14. What is known of an object is used without loading it ([mesh.Known]): the
//     members that were requested, that it is an object, that it is true. Reading
//     anything else loads all of it. Which members are known changes no result;
//     parts of two moments are never mixed.
package eval
