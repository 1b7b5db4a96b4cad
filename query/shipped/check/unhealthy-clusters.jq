# unhealthy-clusters: clusters with no healthy endpoint that some route sends requests to: those are answered 503.
# Istio makes a route for every service. Where there is no other to a service that has no endpoint at all, it is told for
# information only: nobody may want it.
#
# input: proxy
# merge: proxies
# severity: error
# next: is a pod of the service ready, and does one have the labels of the subset? endpoints --cluster NAME shows what Envoy knows
# example: unhealthy-clusters

def inUse: select(.state == "ACTIVE" or .state == "STATIC");

# What routes send requests to, and whether somebody asked for that with a VirtualService.
def ofRoutes: .routes[] | inUse | .virtualHosts[]?.routes[]? | .virtualService as $by | .destinations[]? | {cluster, asked: ($by != null)};

# What listeners send connections to, by themselves or by routes of their own.
def ofListeners:
  .listeners[] | inUse | (.filterChains[]?, .defaultFilterChain) | .filters[]?.typedConfig | objects
  | (.routeConfig.virtualHosts[]?.routes[]?.route | .cluster, .weightedClusters.clusters[]?.name), .cluster, .weightedClusters.clusters[]?.name
  | {cluster: ., asked: false};

[select(_isEnvoy)
 | [.endpoints[] | {cluster, health}] as $rows
 | if any($rows[]; .cluster == null) then _unknown("endpoints"; "which clusters they are of is not in what was read") else . end
 | (reduce $rows[] as $e ({}; .[$e.cluster] += [$e.health])) as $health
 | ([.clusters[]
     | inUse
     | select(.name != null and (.type == "EDS" or .loadAssignment != null))
     | ($health[.edsClusterConfig.serviceName | strings | select(. != "")] // $health[.name] // []) as $endpoints
     | select(all($endpoints[]; . == "UNHEALTHY" or . == "DRAINING" or . == "TIMEOUT"))
     | {(.name): ($endpoints | length)}]
    | add // {}) as $unhealthy
 | _apart(ofRoutes), _apart(ofListeners)
 | select(.cluster as $name | $name != null and ($unhealthy | has($name)))
 | {cluster, asked, endpoints: $unhealthy[.cluster]}]
| group_by(.cluster)[]
| any(.[]; .asked) as $asked
| .[0]
| {subject: .cluster,
   severity: (if .endpoints == 0 and ($asked | not) then "info" else "error" end),
   message: (if .endpoints == 0 then "no endpoint" else "none of \(.endpoints) endpoints is healthy" end)}
