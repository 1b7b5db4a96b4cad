// Package graph builds a graph of who can send requests to whom: workloads and
// gateways, the routes of their proxies, services, and the workloads behind
// them. It is made from the configuration of the proxies alone; no traffic is
// observed.
//
// The query [Facts] reads the document; a [Builder] makes a [Graph] of its rows;
// the Graph is written as a tree of text, as Mermaid, as DOT or as JSON. The
// package knows the names of Istio's clusters ("outbound|9080|v1|host"), and
// nothing of Envoy's other configuration. Read build.go first.
package graph
