# missing-clusters: routes that send requests to a cluster that the proxy does not have: those are answered 503.
# Istio makes routes of a VirtualService for port 80 of its host, too, where the service has no such port: they are left out.
#
# input: proxy
# merge: proxies
# severity: error
# next: does the destination's host, port or subset exist? The VirtualService and the DestinationRule have to agree
# example: missing-clusters

def inUse: select(.state == "ACTIVE" or .state == "STATIC");

# a cluster's port and service, which the name of a virtual host is made of
def place: split("|") | if length == 4 then "\(.[3]):\(.[1])" else null end;

# What a route sends requests to, and copies of them: {cluster, place of its virtual host, from, copies}.
def ofRoutes:
  .routes[]
  | inUse
  | .virtualHosts[]?
  | .name as $host
  | (.routes | values)[]
  | . as $route
  | ((.destinations[]? | select(.weight != 0) | {cluster, copies: false}),
     (.route.requestMirrorPolicies[]? | {cluster, copies: true}))
  | . + {$host, from: "\($route.routeConfiguration) \($host)\(if $route.virtualService then " (\($route.virtualService))" else "" end)"};

# What a listener sends connections to without routes.
def ofListeners:
  .listeners[]
  | inUse
  | "listener \(.name // "of port \(.port)")" as $from
  | (((.filterChains[]?, .defaultFilterChain) | .filters[]?), .listenerFilters[]?)
  | .typedConfig
  | objects
  | (.cluster, .weightedClusters.clusters[]?.name, .prefixRoutes.routes[]?.cluster, .prefixRoutes.catchAllRoute.cluster)
  | strings
  | {cluster: ., host: null, $from, copies: false};

[select(_isEnvoy)
 | ([.clusters[] | inUse | .name | values] | unique) as $clusters
 | ([$clusters[] | place | values] | unique) as $places
 | (_apart(ofRoutes), _apart(ofListeners))
 | select(.cluster != null and .cluster != "")
 | .cluster as $cluster
 | select($clusters | bsearch($cluster) < 0)
 | select(.host as $host | $cluster | place as $place | $place == null or $place != $host or ($places | bsearch($place)) >= 0)]
| group_by([.cluster, .copies])[]
| {subject: .[0].cluster}
  + if .[0].copies then {severity: "warning", message: "no such cluster for copies of requests, in \(map(.from) | unique | join(", "))"}
    else {message: "no such cluster, in \(map(.from) | unique | join(", "))"} end
