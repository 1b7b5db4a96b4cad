package mesh

// NotConfigured is the reason for an unknown result that depends on more than
// the configuration, such as the code of a filter or a claim in a token.
const NotConfigured = "the configuration alone does not say it"

// traceKinds returns the kinds of the objects that trace(request) and
// unreachable return.
func traceKinds() []Kind {
	return []Kind{
		{Name: "Trace", Doc: "the way of a request through a proxy, as trace(request) gives it", Fields: []Field{
			kindField(),
			{Name: "proxy", Doc: "the id of the proxy it begins at"},
			{Name: "request", Doc: "the request as it was understood: {method, scheme, host, port, path, source, destination, sni, principal, direction}", Holds: objectOf("TraceRequest")},
			{Name: "steps", Doc: "[{step, name, reason, istio, almost, object}]: what was chosen, why, the Istio resource it came from, and what almost was", Holds: list("TraceStep")},
			{Name: "cluster", Doc: "the one that is asked; null where only shares are known"},
			{Name: "clusters", Doc: "all that may be asked: [{name, share, reason}]", Holds: list("TraceShare")},
			{Name: "endpoints", Doc: "[{address, share, health, cluster, workload, transport, …}]: the shares of all that are reached add up to 1", Holds: list("TraceEndpoint")},
			{Name: "url", Doc: "the request's URL as it is forwarded"},
			{Name: "outcomes", Doc: "where the traffic ends: [{share, reason}], those first that get to an endpoint, whose reason is null or PASSTHROUGH", Holds: list("TraceOutcome")},
			{Name: "unknowns", Doc: "what the walk depends on and could not know: [{what, why}]", Holds: list("TraceUnknown")},
			{Name: "reached", Doc: "whether some of the requests get to an endpoint"},
			{Name: "reason", Doc: "what ends the way; null or PASSTHROUGH where an endpoint is reached", Holds: one("PASSTHROUGH", "BLACKHOLE", "REDIRECT", "DIRECT_RESPONSE", "DENIED", "FAULT", "TLS_MISMATCH", "UNSUPPORTED", "NO_LISTENER", "NO_FILTER_CHAIN", "NO_VHOST", "NO_ROUTE", "NO_CLUSTER", "NO_ENDPOINTS", "ALL_UNHEALTHY", "SUBSET_EMPTY")},
			{Name: "status", Doc: "the status that a proxy answers itself"},
			{Name: "redirectTo", Doc: "where a redirect leads to"},
			{Name: "policies", Doc: "what RBAC filters say: [{filter, action, policy, istio, verdict, shadow, unknown}]", Holds: list("TracePolicy")},
			{Name: "faults", Doc: "the faults that are injected: [{fault, share, status, delay}]", Holds: list("TraceFault")},
			{Name: "timeout", Doc: "how many seconds Envoy waits for the answer; 0: it doesn't end, null: nothing is forwarded as HTTP"},
			{Name: "retries", Doc: "when it is sent again: {attempts, on, perTryTimeout}"},
			{Name: "mirrors", Doc: "where copies are sent: [{cluster, share}]", Holds: list("Mirror")},
			{Name: "unsupported", Doc: "what was met and can't be decided from the configuration", Holds: texts()},
			{Name: "through", Doc: "the ways through the proxies of the endpoints, where that was asked", Of: "Trace"},
		}},
		{Name: "UnreachableRoute", Doc: "a route that no request takes, or that ends at nothing, as unreachable gives it", Message: "envoy.config.route.v3.Route", Fields: append(routeFields(),
			Field{Name: "proxy", Doc: "the id of the proxy whose it is"},
			Field{Name: "reason", Doc: "SHADOWED, DUPLICATE_DOMAIN, NO_CLUSTER, NO_ENDPOINTS, ALL_UNHEALTHY or SUBSET_EMPTY; UNKNOWN for what of the proxy could not be judged", Holds: one("SHADOWED", "DUPLICATE_DOMAIN", "NO_CLUSTER", "NO_ENDPOINTS", "ALL_UNHEALTHY", "SUBSET_EMPTY")},
			Field{Name: "listener", Doc: "the listener whose TCP proxy it is, where it is no route"},
			Field{Name: "unknowns", Doc: "what could not be judged: [{what, why}]"},
			Field{Name: "by", Doc: "the route ahead of it, or the virtual host that has the domain already", Holds: anything()},
			Field{Name: "cluster", Doc: "the cluster that ends at nothing"},
		)},
	}
}
