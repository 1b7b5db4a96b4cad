# Routes that lead to a service, and routes that lead nowhere.

def _among: . == null or . == "ACTIVE" or . == "STATIC";

# In Istio's cluster names, such as "outbound|9080|v1|reviews.default.svc.cluster.local", the last part is the service.
def _leadsTo($to): strings | . == $to or ((startswith("outbound|") or startswith("inbound|")) and ((split("|")[3:] | join("|")) | . == $to or startswith($to + ".")));

def _clustersOf: .cluster?, .weightedClusters.clusters[]?.name;

# routesTo(name): the routes that can send requests, or copies of them, to a cluster, or to a service (reviews, reviews.default, its full name), of a proxy, of all proxies of the mesh, or of an array of them; and the listeners that do so without routes. Each result has the member proxy, the id of its proxy.
#   .routesTo("ratings.default") | {proxy, kind, name}
#   .proxy("reviews-v2").routesTo("outbound|9080|v1|reviews.default.svc.cluster.local").match
def routesTo($to):
  if _kind == "Mesh" then .proxies[] | routesTo($to)
  elif type == "array" then .[] | routesTo($to)
  elif type == "object" and has("routes") then
    .id as $proxy
    | (.routes[] | select(.state | _among) | .virtualHosts[]?.routes[]? | select(any((.destinations[]? | select(.weight != 0) | .cluster), .route.requestMirrorPolicies[]?.cluster; _leadsTo($to)))),
    (.listeners[] | select(.state | _among) | select(any((.filterChains[]?, .defaultFilterChain) | .filters[]?.typedConfig | _clustersOf; _leadsTo($to))))
    | . + {$proxy}
  else empty end;

# unreachable: the routes and the listeners' TCP proxies that no request takes, or whose cluster has no endpoint for a request: of a proxy, of all proxies of the mesh, or of an array of them.
# reason is SHADOWED (by: the earlier route that takes all its requests), DUPLICATE_DOMAIN (by: the virtual host that has the domain already), NO_CLUSTER, NO_ENDPOINTS, ALL_UNHEALTHY or SUBSET_EMPTY (cluster: the cluster of the route), or UNKNOWN (unknowns: what could not be judged).
#   [.proxies[] | unreachable | .reason] | group_by(.) | map({(.[0]): length}) | add
def unreachable:
  if _kind == "Mesh" then .proxies[] | unreachable
  elif type == "array" then .[] | unreachable
  elif type == "object" and has("routes") then _unreachable
  else empty end;
