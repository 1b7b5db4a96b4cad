// Package difference compares values of the document, and says what differs:
// as an [Edit], a tree that lies over both values, and from it as a list of
// changes, as unified text, and as a JSON Patch.
//
// Plain values are compared as JSON: exactly. What is Envoy's is compared as
// Envoy reads it: what a writer may leave out or write in two ways (defaults,
// durations, the spelling of names in a type that isn't known, the version in
// a type's name) is no difference, neither is the order of a list that Envoy
// looks things up in (virtual hosts, domains, filter chains, headers), while
// the order of routes and filters is one. Facts of ours beside Envoy's own (a
// state, a version, the name of a proxy) are left aside.
//
// It knows the vocabulary of the document and Envoy's names; it asks nobody,
// and looks only into what it is given.
package diff
