// Package envoy is what Envoy's admin port says, as values of the document:
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
// A section is one pass over the bytes of its part of the dump: the elements
// are read one level deep, what is inside them stays bytes until it is looked
// at. Derived facts are made when their object is looked into; those that need
// another body hang in it as values of their own.
package envoy
