# unhealthy-clusters: clusters with no healthy endpoint that some route sends requests to: those are answered 503.
# Istio makes a route for every service. Where there is no other to a service that has no endpoint at all, it is told for
# information only: nobody may want it.
#
# severity: error
# next: is a pod of the service ready, and does one have the labels of the subset? endpoints --cluster NAME shows what Envoy knows
# example: unhealthy-clusters

def alike: group_by([.subject, .message, .severity])[]
  | .[0] + {proxies: map(.proxy)}
  | .proxy = if .proxies[1:] == [] then .proxy else "\(.proxies | length) proxies" end;

def inUse: select(.state == "ACTIVE" or .state == "STATIC");
def asked: .routes[] | inUse | .virtualHosts[]?.routes[]? | select(.virtualService) | .destinations[]?.cluster;
def routed: (.routes[] | inUse | .virtualHosts[]?.routes[]?.destinations[]?.cluster),
  (.listeners[] | inUse | .filterChains[]?, .defaultFilterChain | .filters[]?.typedConfig
   | (.routeConfig.virtualHosts[]?.routes[]?.route | .cluster, .weightedClusters.clusters[]?.name), .cluster, .weightedClusters.clusters[]?.name);

[.proxies[]
 | select(.type != "ztunnel")
 | .id as $proxy
 | ([routed | values] | unique) as $routed
 | ([asked | values] | unique) as $asked
 | (reduce .endpoints[] as $e ({}; .[$e.cluster] += [$e.health])) as $health
 | .clusters[]
 | inUse
 | select(.type == "EDS" or .loadAssignment != null)
 | .name as $name
 | select($routed | bsearch($name) >= 0)
 | ($health[$name] // []) as $endpoints
 | select(all($endpoints[]; . == "UNHEALTHY" or . == "DRAINING" or . == "TIMEOUT"))
 | {$proxy, subject: $name,
    severity: (if $endpoints == [] and ($asked | bsearch($name) < 0) then "info" else "error" end),
    message: (if $endpoints == [] then "no endpoint" else "none of \($endpoints | length) endpoints is healthy" end)}]
| alike
