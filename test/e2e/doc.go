// Package e2e tests the plugin on a real mesh. A real kubectl runs the plugin, and every answer is compared with that
// of istiod, Envoy or the API server. The package knows the plugin only as a program and imports none of its packages.
//
// The tests whose names end in AsEnvoy start a real Envoy without a mesh. They compare the routes that the plugin
// predicts with those that Envoy takes, for random configurations, and for the configurations of recorded and running
// Envoys. To try more of them, or other ones, run
//
//	go test -v -run AsEnvoy . -routings 5000 -listeners 5000 -seed 7
//
// A mismatch is reduced to a small example, which is printed in the form of query/trace/testdata/found.jsonl.
package e2e
