// Package predict finds out what istiod would send to every proxy if a change were
// applied, without applying it.
//
// It runs istiod's own binary twice (package sandbox), over API servers in memory
// (package apiserver) that serve the objects of a mesh without and with the change,
// and asks both as the mesh's proxies would (package xds). The side without the
// change is the baseline: [Prediction.Gate] compares it with what the mesh's own
// istiod says that it would send, and tells whether the prediction can be trusted.
//
// Proxies that istiod can't tell apart form a [Class], of which it asks one.
//
// The result is a source of answers ([Source]) over the sources of the mesh, so the
// predicted mesh is a document like any other.
//
// What is predicted is what istiod sends, not whether an Envoy accepts it. It doesn't
// predict new proxies, ztunnels, the DNS tables of proxies, or the endpoints of other
// clusters.
//
// Start with run.go. inputs.go reads the mesh, overlay.go merges a change into it,
// class.go forms the classes, gate.go verifies the baseline, and source.go is the
// predicted mesh.
package predict
