package mesh

// NotConfigured is the reason for an unknown result that depends on more than
// the configuration, such as the code of a filter or a claim in a token.
const NotConfigured = "the configuration alone does not say it"

// traceKinds returns the kinds of the objects that trace(request) and
// unreachable return.
func traceKinds() []Kind {
	return []Kind{
		{Name: "Trace", Doc: "the path of a request through a proxy, returned by trace(request)", Fields: []Field{
			kindField(),
			{Name: "proxy", Doc: "the id of the first proxy; null if the ztunnel of a workload is not known"},
			{Name: "workload", Doc: "name.namespace of the workload at which the trace begins; null if it begins at a proxy"},
			{Name: "request", Doc: "the parsed request: {method, scheme, host, port, path, source, destination, sni, principal, direction}", Holds: objectOf("TraceRequest")},
			{Name: "steps", Doc: "[{step, name, reason, istio, almost, object}]: what was chosen, why, the Istio resource it came from, and what almost was", Holds: list("TraceStep")},
			{Name: "cluster", Doc: "the cluster that gets the request; null if only the shares of several are known"},
			{Name: "clusters", Doc: "all clusters that may get the request: [{name, share, reason}]", Holds: list("TraceShare")},
			{Name: "endpoints", Doc: "[{address, share, health, cluster, workload, transport, …}]: the shares add up to 1", Holds: list("TraceEndpoint")},
			{Name: "url", Doc: "the URL of the forwarded request"},
			{Name: "outcomes", Doc: "where the traffic ends: [{share, reason}]. Traffic that reaches an endpoint comes first; its reason is null or PASSTHROUGH", Holds: list("TraceOutcome")},
			{Name: "unknowns", Doc: "what the result depends on and is unknown: [{what, why}]", Holds: list("TraceUnknown")},
			{Name: "reached", Doc: "whether some of the requests reach an endpoint"},
			{Name: "reason", Doc: "why the request ends; null or PASSTHROUGH if it reaches an endpoint", Holds: one("PASSTHROUGH", "BLACKHOLE", "REDIRECT", "DIRECT_RESPONSE", "DENIED", "FAULT", "TLS_MISMATCH", "UNSUPPORTED", "NO_LISTENER", "NO_FILTER_CHAIN", "NO_VHOST", "NO_ROUTE", "NO_CLUSTER", "NO_ENDPOINTS", "ALL_UNHEALTHY", "SUBSET_EMPTY", "NO_WORKLOAD", "NO_CERTIFICATE", "UNKNOWN")},
			{Name: "status", Doc: "the status of a proxy's own response"},
			{Name: "redirectTo", Doc: "the location of a redirect"},
			{Name: "policies", Doc: "the verdicts of RBAC filters: [{filter, action, policy, istio, verdict, shadow, unknown}]", Holds: list("TracePolicy")},
			{Name: "faults", Doc: "the faults that are injected: [{fault, share, status, delay}]", Holds: list("TraceFault")},
			{Name: "timeout", Doc: "the timeout of the response in seconds; 0: none; null if no HTTP request is forwarded"},
			{Name: "retries", Doc: "when the request is retried: {attempts, on, perTryTimeout}"},
			{Name: "mirrors", Doc: "the clusters that get copies: [{cluster, share}]", Holds: list("Mirror")},
			{Name: "unsupported", Doc: "the settings whose effect the configuration alone doesn't decide", Holds: texts()},
			{Name: "through", Doc: "the paths through the proxies of the endpoints, if they were requested", Of: "Trace"},
		}},
		{Name: "UnreachableRoute", Doc: "a route that no request takes or that leads to no endpoint, returned by unreachable", Message: "envoy.config.route.v3.Route", Fields: append(routeFields(),
			Field{Name: "proxy", Doc: "the id of its proxy"},
			Field{Name: "reason", Doc: "SHADOWED, DUPLICATE_DOMAIN, NO_CLUSTER, NO_ENDPOINTS, ALL_UNHEALTHY or SUBSET_EMPTY; UNKNOWN for a part of the proxy that could not be evaluated", Holds: one("SHADOWED", "DUPLICATE_DOMAIN", "NO_CLUSTER", "NO_ENDPOINTS", "ALL_UNHEALTHY", "SUBSET_EMPTY")},
			Field{Name: "listener", Doc: "the listener of its TCP proxy, if it is no route"},
			Field{Name: "unknowns", Doc: "what could not be evaluated: [{what, why}]"},
			Field{Name: "by", Doc: "the earlier route, or the virtual host that already has the domain", Holds: anything()},
			Field{Name: "cluster", Doc: "the cluster without endpoints"},
		)},
	}
}
