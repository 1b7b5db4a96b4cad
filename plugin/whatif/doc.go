// Package whatif is the command whatif. It says what a change of Kubernetes objects
// would do to a mesh before the change is applied: whether istiod admits it, which
// proxies get another configuration, and which findings of the checks are new or
// cured.
//
// Package sources/predict makes the prediction, plugin/run runs the checks over it,
// and query/diff finds the differences; this package puts the answer together and
// prints it. It also fetches istiod's binary (fetch.go), and asks the API server for
// defaults (dryrun.go); both go beyond reading, and are only done if asked for.
//
// Read command.go first.
package whatif
