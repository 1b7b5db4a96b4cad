// Package inventory finds out which istiods and proxies a mesh has, before any
// proxy is asked for its configuration. It lists each cluster's istiods, pods
// and reachable proxies, reads what istiods say about their connections, and
// joins the three: a connection, a pod and a folder of a snapshot that belong to
// one proxy become one [Proxy].
//
// It knows how proxies are identified across clusters, revisions and
// namespaces. It does not know what is in a proxy's sections (package section),
// nor how the document presents a proxy (package sources).
//
// Start with inventory.go; join.go has the rules by which a proxy is recognised.
package inventory
