# missing-clusters: routes that send requests to a cluster that the proxy does not have: those are answered 503.
# Istio makes routes of a VirtualService for port 80 of its host, too, where the service has no such port: they are left out.
#
# severity: error
# next: does the destination's host, port or subset exist? The VirtualService and the DestinationRule have to agree
# example: missing-clusters

def alike: group_by([.subject, .message])[]
  | .[0] + {proxies: map(.proxy)}
  | .proxy = if .proxies[1:] == [] then .proxy else "\(.proxies | length) proxies" end;

# a cluster's port and service, which the name of a virtual host is made of
def place: split("|") | if length == 4 then "\(.[3]):\(.[1])" else null end;

[.proxies[]
 | select(.type != "ztunnel")
 | .id as $proxy
 | ([.clusters[] | .name] | unique) as $clusters
 | ([$clusters[] | place | values] | unique) as $places
 | [.routes[]
    | select(.state == "ACTIVE" or .state == "STATIC")
    | .virtualHosts[]?
    | .name as $host
    | .routes[]?
    | . as $route
    | .destinations[]?.cluster
    | values as $cluster
    | select($clusters | bsearch($cluster) < 0)
    | select(($cluster | place) as $place | $place != $host or ($places | bsearch($place)) >= 0)
    | {$cluster, from: "\($route.routeConfiguration) \($host)\(if $route.virtualService then " (\($route.virtualService))" else "" end)"}]
 | group_by(.cluster)[]
 | {$proxy, subject: .[0].cluster, message: "no such cluster, in \(map(.from) | unique | join(", "))"}]
| alike
