// Package diff compares values of the document. The result is an [Edit], a tree that
// covers both values. A list of changes, a unified diff and a JSON Patch are derived from
// it.
//
// Plain values are compared exactly, as JSON. Envoy's messages are compared by their
// meaning to Envoy. What may be omitted or written in two ways is not a difference:
// defaults, durations, the spelling of field names in an unknown type, the version in a
// type's name. The order of a list in which Envoy only searches (virtual hosts, domains,
// filter chains, headers) is not a difference either. The order of routes and of filters
// is a difference. Fields that this project adds to Envoy's fields (a state, a version,
// the name of a proxy) are not compared.
//
// The package knows the kinds of objects in the document, and Envoy's field names. It
// sends no requests itself, and reads only the values that it receives.
package diff
