package mesh

// NotConfigured is why an answer doesn't know something that no configuration
// says: what a filter's code does, a claim of a token.
const NotConfigured = "the configuration alone does not say it"

// traceKinds are those of trace(request).
func traceKinds() []Kind {
	return []Kind{
		{Name: "Trace", Doc: "the way of a request through a proxy, as trace(request) gives it", Fields: []Field{
			kindField(),
			{Name: "proxy", Doc: "the id of the proxy it begins at"},
			{Name: "request", Doc: "the request as it was understood: {method, scheme, host, port, path, source, destination, sni, principal, direction}"},
			{Name: "steps", Doc: "[{step, name, reason, istio, almost, object}]: what was chosen, why, the Istio resource it came from, and what almost was"},
			{Name: "cluster", Doc: "the one that is asked; null where only shares are known"},
			{Name: "clusters", Doc: "all that may be asked: [{name, share, reason}]"},
			{Name: "endpoints", Doc: "[{address, share, health, cluster, workload, transport, …}]: the shares of all that are reached add up to 1"},
			{Name: "url", Doc: "the request's URL as it is forwarded"},
			{Name: "outcomes", Doc: "where the traffic ends: [{share, reason}], those first that get to an endpoint, whose reason is null or PASSTHROUGH"},
			{Name: "unknowns", Doc: "what the walk depends on and could not know: [{what, why}]"},
			{Name: "reached", Doc: "whether some of the requests get to an endpoint"},
			{Name: "reason", Doc: "what ends the way; null or PASSTHROUGH where an endpoint is reached"},
			{Name: "status", Doc: "the status that a proxy answers itself"},
			{Name: "redirectTo", Doc: "where a redirect leads to"},
			{Name: "policies", Doc: "what RBAC filters say: [{filter, action, policy, istio, verdict, shadow, unknown}]"},
			{Name: "faults", Doc: "the faults that are injected: [{fault, share, status, delay}]"},
			{Name: "timeout", Doc: "how many seconds Envoy waits for the answer; 0: it doesn't end, null: nothing is forwarded as HTTP"},
			{Name: "retries", Doc: "when it is sent again: {attempts, on, perTryTimeout}"},
			{Name: "mirrors", Doc: "where copies are sent: [{cluster, share}]"},
			{Name: "unsupported", Doc: "what was met and can't be decided from the configuration"},
			{Name: "through", Doc: "the ways through the proxies of the endpoints, where that was asked", Of: "Trace"},
		}},
		{Name: "UnreachableRoute", Doc: "a route that no request takes, or that ends at nothing, as unreachable gives it", Message: "envoy.config.route.v3.Route", Fields: append(routeFields(),
			Field{Name: "proxy", Doc: "the id of the proxy whose it is"},
			Field{Name: "reason", Doc: "SHADOWED, DUPLICATE_DOMAIN, NO_CLUSTER, NO_ENDPOINTS, ALL_UNHEALTHY or SUBSET_EMPTY; UNKNOWN for what of the proxy could not be judged"},
			Field{Name: "listener", Doc: "the listener whose TCP proxy it is, where it is no route"},
			Field{Name: "unknowns", Doc: "what could not be judged: [{what, why}]"},
			Field{Name: "by", Doc: "the route ahead of it, or the virtual host that has the domain already"},
			Field{Name: "cluster", Doc: "the cluster that ends at nothing"},
		)},
	}
}
