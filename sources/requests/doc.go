// Package requests sends the requests of one mesh to its sources. It sends each
// request once and keeps the answer for later callers. It groups the sources by
// Kubernetes cluster, limits how many requests run at once, and records faults.
// It also reports the requests that were sent, in the ledger that --explain
// prints and as the progress shown on a terminal.
//
// The package does not know what an answer contains, nor which requests are
// needed.
//
// Start with client.go.
package requests
