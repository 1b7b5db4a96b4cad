# The way of a request through the mesh.

# trace(request): the way of a request from a proxy: listener, filter chain, routes, cluster and endpoints, with the reason of each step and the Istio resource that it came from.
# A request is what match takes, or "tcp://host:port" or "tls://host:port"; an object of it may also have url, principal (the identity of the client's certificate), from (a proxy or an address), direction ("inbound": the request arrives at the proxy's workload) and through (true: the trace continues in the proxies of the endpoints).
# reason is null or PASSTHROUGH if an endpoint is reached; otherwise it says what ends the way: NO_LISTENER, NO_ROUTE, NO_ENDPOINTS, DENIED and so on.
#   .proxy("istio-ingressgateway").trace("http://bookinfo.example.com/productpage").cluster
#   .proxies[] | trace("http://reviews:9080/") | {proxy, cluster, reason}
#   .proxy("productpage-v1").trace({url: "http://reviews:9080/", headers: {"end-user": "jason"}}).clusters
def trace($request): _trace($request);

# traceFrom(name; request): the way of a request from a proxy or, in an ambient mesh, from a workload: through the ztunnel of its node, waypoints, and the ztunnels of the endpoints.
# name is a name of a proxy as proxy(name) takes it, else the name (pod, pod.namespace, deploy/web-v1) or the address of a workload that a ztunnel knows. A Workload of a ztunnel can be the input of trace, too. The result is a Trace; through has the ways through the next proxies.
#   traceFrom("productpage-v1"; "http://reviews:9080/").outcomes
def traceFrom($name; $request): _traceFrom($name; $request);

# workload(name): the workload of an ambient mesh that has a name (pod, pod.namespace, deploy/web-v1, web-v1.shop) or an address, as a ztunnel knows it; nothing if none does.
#   isempty(workload("productpage-v1"))
def workload($name): _workload($name);
