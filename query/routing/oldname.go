package routing

import "strings"

// kindOfFilter gives what a filter of a layer ("http", "network", "listener")
// is: "rbac", "tcp_proxy", "tls_inspector". The type of its configuration says
// it; where there is none, its name does, in any form that Envoy has taken:
// "envoy.filters.http.cors", "envoy.cors", "envoy.listener.tls_inspector". It is
// empty for a filter that is none of Envoy's.
func kindOfFilter(typeURL, name, layer string) string {
	if typeURL != "" {
		return packageOf(typeURL, layer)
	}
	kind, ok := strings.CutPrefix(name, "envoy.")
	if !ok {
		return ""
	}
	kind = strings.TrimPrefix(kind, "filters.")
	kind = strings.TrimPrefix(kind, layer+".")
	if strings.Contains(kind, ".") {
		return ""
	}
	if now, ok := renamed[kind]; ok {
		return now
	}
	return kind
}

// renamed are the filters whose last word was another one before.
var renamed = map[string]string{
	"http_dynamo_filter": "dynamo", "gzip": "compressor", "rate_limit": "ratelimit",
}

// isUntyped tells whether a filter has a configuration in the form of Envoy up
// to 1.13, which says no type and isn't read here.
func isUntyped(filter message) bool { return !filter.has("typedConfig") && filter.has("config") }
