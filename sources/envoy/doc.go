// Package envoy converts the answers of Envoy's admin port to values of the document:
// clusters, listeners, routes, endpoints, secrets, extensions, the bootstrap,
// the server, its stats and loggers, read from the bodies of /config_dump,
// /clusters, /server_info, /stats and /logging. What istiod would send to a
// proxy comes in the form of a config dump too, and is read by the same code.
//
// It knows how Envoy spells its messages (a table of all of their fields,
// generated from the descriptors), what Istio writes into their names and
// metadata, and how old Istios wrote them. It does not know where a body comes
// from, whether it is live or recorded, nor anything of what Pilot or
// Kubernetes say about the same proxy.
//
// # Laziness
//
// A section is read in one pass over the bytes of its part of the dump: elements
// are decoded one level deep, and their content when it is read. Derived fields
// are made when their object is read; those that need another request are lazy
// themselves.
//
// Start with sections.go, the table of sections, then resource.go. A derived
// field has a row in mesh.Kinds and a line in the function that makes its object
// (clusterFields, listenerFields, …).
//
// # Hand-written
//
// The table of fields (fields.txt, made by fieldgen) stands in for the descriptors
// of go-control-plane, which the product would have to link, register and convert
// every dump to: names and shapes are all that is needed, and resources stay bytes.
package envoy
