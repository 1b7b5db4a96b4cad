// Package sandbox runs an istiod binary on this machine, over an API server in
// memory (package apiserver), to find out what it would send.
//
// The istiod listens only on loopback, on ports that the system chooses. Its
// environment has nothing of the user's except what the caller passes, its
// kubeconfig names only the server in memory, and its HTTP proxy is that server,
// which refuses all connections. It ends when this process ends, even if this
// process is killed: lifetime_linux.go and lifetime_unix.go say how. Its log is kept
// in memory, bounded, and no file of it is left behind.
//
// The package knows the flags and the log of istiod's binary (pilot-discovery), and
// its admission webhook. It doesn't know what istiod sends; see package xds.
//
// Start with istiod.go.
package sandbox
