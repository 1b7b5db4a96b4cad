// Package routing implements Envoy's routing rules. It selects the virtual host,
// the route and the filter chain for a request, rewrites its URL, and shares the
// requests of a cluster among its endpoints. It reads Envoy's own messages as
// values of the document. It doesn't depend on jq, on proxies, or on the source
// of the messages.
//
// The rules are those of Envoy 1.40. They were taken from Envoy's source and
// tested against the answers of a real Envoy 1.40. If a rule changed between
// versions, its comment contains the version. Whatever can't be derived from the
// configuration and the request is named in Answer.Unsupported; the package never
// guesses.
package routing
