// Package predict determines what istiod would send to every proxy if a change were
// applied, without applying the change.
//
// It runs istiod's own binary twice (package sandbox), over two in-memory API servers
// (package apiserver). They serve the objects of a mesh without and with the change.
// It then connects to both istiods as the mesh's proxies would (package xds). The
// result without the change is the baseline: [Prediction.Gate] compares it with the
// configuration that the mesh's own istiod reports, to decide whether the prediction
// can be trusted.
//
// Proxies to which istiod sends the same configuration form a [Class]. The
// configuration is requested for only one proxy of each class.
//
// The result is a source of answers ([Source]) over the sources of the mesh, so the
// predicted mesh is a document like any other.
//
// The package predicts what istiod sends, not whether an Envoy accepts it. It doesn't
// predict new proxies, ztunnels, the DNS tables of proxies, or the endpoints of other
// clusters.
//
// Start with run.go. inputs.go reads the mesh, overlay.go merges a change into it,
// class.go forms the classes, gate.go verifies the baseline, and source.go implements
// the predicted mesh.
package predict
