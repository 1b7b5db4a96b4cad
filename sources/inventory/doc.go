// Package inventory finds out which istiods and proxies a mesh has, before it
// requests the configuration of any proxy. It lists each cluster's istiods, pods
// and reachable proxies, reads the connections that each istiod reports, and
// joins these lists: a connection, a pod and a snapshot folder that belong to
// the same proxy become one [Proxy].
//
// The package defines how proxies are identified across clusters, revisions and
// namespaces. It does not depend on what the sections of a proxy contain (see
// package section), nor how the document presents a proxy (see package sources).
//
// Start with inventory.go; join.go has the rules that decide which records
// belong to the same proxy.
package inventory
