// Package sandbox runs an istiod binary on this machine, over an in-memory API
// server (package apiserver), to find out what configuration it would send.
//
// This istiod listens only on loopback, on free ports. Of the user's environment, it
// receives only the variables that the caller passes. Its kubeconfig names only the
// in-memory API server. Its HTTP proxy is that server too, which refuses all
// connections. istiod ends when this process ends, even if this process is killed;
// child_linux.go and guard_unix.go explain how. Its log is kept in memory, up to a
// limit. No files are left behind.
//
// The package implements the flags, the log and the admission webhook of istiod's
// binary (pilot-discovery). Package xds reads the configuration that istiod sends.
//
// Start with istiod.go.
package sandbox
