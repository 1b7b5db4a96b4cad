// Package e2e is the home of the tests that run the plugin, by a real kubectl,
// on a real mesh. Every transcript is what a user types, and every answer is
// held against what istiod, Envoy and the API server say themselves. It knows
// the plugin as a program only: none of its packages.
//
// Where a request would go is held against a real Envoy alone, by the tests
// AsEnvoy: of random configurations, and of what recorded and running Envoys
// hold. More of them than each time are tried by
//
//	go test -v -run AsEnvoy . -routings 5000 -listeners 5000 -seed 7
//
// What differs is made small, and told as query/library/testdata/found.jsonl
// has it.
package e2e
