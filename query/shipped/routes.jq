# routes: which request goes where, a row a route.
# The routes that a listener has in itself are in no list of Envoy's: listeners shows them.
#
#   --name TEXT     only the route configuration of this name: a port, http.80, host:port
#   --host HOST     only virtual hosts that have this domain
#   --all-states    those that are not in use, too
#   --verbose true|false=true    a row a route; =false: a row a configuration, with how many virtual hosts it has
#
# aliases: route, r
# output: wide
# columns RouteConfiguration: PROXY, NAME, VHOST, DOMAINS, MATCH, DESTINATION, VIRTUAL SERVICE, STATE
# columns VirtualHost: PROXY, NAME, VHOST, DOMAINS, MATCH, DESTINATION, VIRTUAL SERVICE, STATE
# columns RouteSummary: PROXY, NAME, VIRTUAL HOSTS, STATE
# example: routes reviews-v1 --name 9080
# example: routes istio-ingressgateway -o wide
# example: routes reviews-v1 --name 9080 --host ratings
# example: routes reviews-v1 --verbose=false

.proxies[]
| .id as $proxy
| if $name then .routes[] | select(.name == $name) else .routes[] end
| select($all_states or .state == "ACTIVE" or .state == "STATIC")
| if $verbose | not then {kind: "RouteSummary", $proxy, name, virtualHosts: (.virtualHosts // [] | length), state}
  elif $host then .virtualHosts[]? | select(any(.domains[]?; . == $host))
  else . end
