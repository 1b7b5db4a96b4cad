// Package requests sends the requests of one mesh to its sources: each request
// once, with the answer kept for everyone who needs it later. It groups the
// sources by Kubernetes cluster, bounds how many requests run at once, records
// the faults that were met, and reports what was asked (the ledger of
// --explain, and the progress shown on a terminal).
//
// It does not know what is in an answer, nor which requests are needed.
//
// Start with client.go.
package requests
