// Package routing holds Envoy's rules of choice: which virtual host, route and
// filter chain a request takes, and what becomes of its URL. It reads Envoy's
// own messages as values of the document and knows nothing of jq, of proxies
// or of where the messages came from.
//
// The rules are those of Envoy 1.40, from its source and held against the
// answers of a real one; where a rule changed between versions the comment
// says so. What can't be decided from the configuration and the request alone
// is named in Answer.Unsupported, never guessed.
package routing
