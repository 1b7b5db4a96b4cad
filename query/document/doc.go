// Package document reads the virtual document for Go code: the members of its
// objects, Envoy's messages, the kind of a value, and proxies by name. Values may
// be lazy; a read loads no more than it needs.
//
// Start with reader.go. The package knows nothing of jq and nothing of Envoy's
// rules: the packages routing and trace hold these.
package document
