// Package redact takes out of an answer what nobody but its owner should see,
// and leaves every other byte as it was: private keys, tokens, passwords, the
// environment of containers, what their commands are given by flags and
// variables with such names, labels and annotations with such keys, what
// kubectl applied last, the contents of Kubernetes' Secrets.
//
// It knows the names under which istiod, Envoy and the API server put such
// things into JSON, and the few forms that tell a secret wherever it stands
// (a PEM block, "Bearer …"). It does not know whose answer it reads, where it
// came from or where it goes. It never holds a document: memory does not grow
// with the size of a body, only (by some bytes a level) with its depth.
//
// What it replaces are strings. "[redacted]" stands in their place; where
// bytes are expected, which JSON has in base64, "W3JlZGFjdGVkXQ==", as Envoy
// itself writes it. Empty strings stay. Numbers, true, false and null stay,
// and so do names: that something is there is no secret. Strings are judged
// as the speakers write them, who escape no letter that needs no escape.
package redact

// Kinds is a set of kinds of things that were taken out.
type Kinds uint8

// The kinds.
const (
	PrivateKeys Kinds = 1 << iota
	Secrets
	Passwords
	Tokens
	Environment
	LastApplied
)

// Words names the kinds, in an order of their own.
func (k Kinds) Words() []string {
	var all []string
	for i, word := range []string{
		"private keys", "contents of secrets", "passwords", "tokens", "values of environment variables", "last-applied-configuration",
	} {
		if k&(1<<i) != 0 {
			all = append(all, word)
		}
	}
	return all
}
