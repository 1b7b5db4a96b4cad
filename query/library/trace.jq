# A request's way through the mesh.

# trace(request): the way of a request from a proxy: listener, filter chain, routes, cluster and endpoints, with the reason of each step and the Istio resource that it came from.
# A request is what match takes, or "tcp://host:port" or "tls://host:port"; an object of it may also have url, principal (whom the client's certificate is for), from (a proxy or an address), direction ("inbound": it comes to the proxy's workload) and through (true: it is followed into the proxies of its endpoints).
# reason is null or PASSTHROUGH where an endpoint is reached; else what ends the way: NO_LISTENER, NO_ROUTE, NO_ENDPOINTS, DENIED and so on.
#   .proxy("istio-ingressgateway").trace("http://bookinfo.example.com/productpage").cluster
#   .proxies[] | trace("http://reviews:9080/") | {proxy, cluster, reason}
#   .proxy("productpage-v1").trace({url: "http://reviews:9080/", headers: {"end-user": "jason"}}).clusters
def trace($request): _trace($request);
