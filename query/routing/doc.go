// Package routing implements the rules by which Envoy routes: it selects the
// virtual host, route and filter chain for a request, rewrites its URL, and
// shares the requests of a cluster among its endpoints. It reads Envoy's own
// messages as values of the document. It knows nothing of jq, of proxies, or of
// where the messages came from.
//
// The rules are those of Envoy 1.40. They are taken from its source and tested
// against the answers of a real Envoy 1.40. If a rule changed between versions,
// its comment says so. Whatever can't be decided from the configuration and the
// request alone is named in Answer.Unsupported and never guessed.
package routing
