# Envoy's choice of a route.

# match(request): the route that Envoy takes for a request, from a route configuration, a virtual host, a listener or an array of them (of virtual hosts: from the one that has the host); nothing if Envoy answers 404.
# A request is "/path", "GET http://host:port/path" or an object {method, scheme, host, port, path, headers, sni, alpn, tls, source, directSource, destination, random}. The result is the route entry with
# cluster, clusters [{name, share}], virtualHost, virtualService, url, redirectTo, directStatus, timeout (seconds; 0 is none), retries {attempts, on, perTryTimeout}, mirrors [{cluster, share}] and unsupported. On a string it is jq's match: a regular expression.
#   .proxy("istio-ingressgateway").route("http.80").match("/productpage").route.cluster
#   .proxy("istio-ingressgateway").routes.match("/productpage").cluster
#   .proxy("reviews-v1").route("9080").match("GET http://ratings:9080/ratings/1").virtualHost
def match($request):
  if _routable then _match($request)
  elif ($request | type) == "array" then match($request[0]; $request[1])
  else match($request; null) end;
