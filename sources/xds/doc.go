// Package xds asks an istiod what it would send to a proxy. It connects as the proxy
// does, by delta ADS (the Aggregated Discovery Service of Envoy's xDS protocol, in
// its incremental form), with the proxy's node, subscribes to what an Envoy would
// subscribe to, and returns the resources as JSON.
//
// The package knows the protocol and the names by which clusters and listeners refer
// to other resources. It doesn't know where nodes come from, nor what the
// configuration means.
//
// Two parts are hand-written. gRPC is reduced to one stream over net/http: its
// library adds 4 MB to the plugin, and one bidirectional stream in plain text needs
// only the five bytes before each message. Messages are decoded with a table of their
// fields, 100 kB that program fieldgen makes of Envoy's descriptors: the protobuf
// library with these descriptors adds 2.5 MB to the plugin, and with Envoy's Go
// packages 12 MB. A test compares the JSON with that of the library. Other than
// istiod's own config_dump, this decodes messages that istiod doesn't link, such as
// Wasm filters. Of a message that isn't in the table, only the type is shown, and a
// hash of the resource (see [Undescribed]).
//
// Start with stream.go.
package xds
