// Package document lets Go code read the virtual document that describes a mesh: the
// members of its objects, Envoy's messages, the kind of a value, and proxies by name.
// Values may be lazy (not loaded yet). A read loads only what it needs.
//
// Begin with reader.go. The package contains nothing about jq and nothing about Envoy's
// rules. The rules are in the packages routing and trace.
package document
