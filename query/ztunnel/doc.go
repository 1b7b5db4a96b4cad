// Package ztunnel decides what a ztunnel does with a connection, by the contents
// of its config dump: to where it sends the connection of one of its workloads
// (destination.go), and whether its authorization policies accept a connection
// to one of them (policy.go).
//
// Start with policy.go. The rules are those of ztunnel's source (rbac.rs,
// state.rs, state/service.rs and proxy/outbound.rs, read at 62d8265, August 2026)
// and of Istio's page on AuthorizationPolicy. ztunnel's source is the only
// description of the dump's format, so the package decodes the format by hand: a
// form that it doesn't know is unknown, and never matches.
//
// The package knows nothing of Envoy, of HTTP, or of other proxies. Package trace
// follows a connection from one proxy to the next.
package ztunnel
