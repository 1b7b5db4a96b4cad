# The facts that a graph is made of: a row of the addresses of all pods, and a row of each proxy that has routes.
# A part that can't be read is null, and is named in unknowns.

def among: . == null or . == "ACTIVE" or . == "STATIC";

def condition:
  (if .invertMatch then "not " else "" end) + .name
  + (.stringMatch as $m
     | if $m == null then ""
       elif $m.exact then "=" + $m.exact
       elif $m.prefix then "=" + $m.prefix + "*"
       elif $m.suffix then "=*" + $m.suffix
       elif $m.contains then "=*" + $m.contains + "*"
       elif $m.safeRegex then "~" + $m.safeRegex.regex
       else "" end);

# The match of a route as a text: its path, and its other conditions.
def matchText:
  (if .prefix then .prefix + "*"
   elif .path then .path
   elif .safeRegex then "~" + .safeRegex.regex
   elif .pathSeparatedPrefix then .pathSeparatedPrefix + "/*"
   elif .connectMatcher then "CONNECT"
   else "any path" end)
  + ([(.headers[]?, .queryParameters[]?) | condition] | if . == [] then "" else " if " + join(", ") end);

def routesOf:
  [.routes[] | select(.state | among) | .virtualHosts[]?.routes[]?
   | {kind: "Route", name, routeConfiguration, virtualHost, virtualService, match: (.match | matchText), destinations, mirrors: [.route.requestMirrorPolicies[]?.cluster]}];

def listenersOf:
  [.listeners[] | select(.state | among)
   | {kind: "Listener", name, port, destinations: [(.filterChains[]?, .defaultFilterChain) | .filters[]?.typedConfig | ({cluster: (.cluster? | strings), weight: 1}), (.weightedClusters.clusters[]? | {cluster: .name, weight})]}
   | select(.destinations != [])];

def clustersOf: [.clusters[] | select(.state | among) | {name, eds: .edsClusterConfig.serviceName, type}];
def endpointsOf: [.endpoints[] | {cluster, ip, address, health}];
def brokenOf: [unreachable | {reason, cluster, name, routeConfiguration, virtualHost, match: (.match | if . == null then null else matchText end), unknowns}];

# part(rows): {value} of what was read, or {unknown} with the reason why it was not.
def part(rows): [_judged({value: rows}; {unknown: .message})][0];

def owner:
  .metadata as $m
  | ($m.ownerReferences[0] // null) as $of
  | if $of == null then $m.name elif $of.kind == "ReplicaSet" then ($of.name | sub("-[a-z0-9]+$"; "")) else $of.name end;

{pods: part([.pods[] | {namespace: .metadata.namespace, workload: owner, ips: [.status.podIPs[]?.ip, .status.podIP | values] | unique}])},
(.proxies[]
 | select(.type != "ztunnel")
 | {
     id, name, namespace, workload, type, ips: ([.ip, .ips[]?] | map(values) | unique),
     state: (if .connected == false then "DISCONNECTED" else ([.cds, .lds, .eds, .rds] | if any(.[]; . == "ERROR") then "ERROR" elif any(.[]; . == "STALE") then "STALE" else null end) end),
     routes: part(routesOf), listeners: part(listenersOf), clusters: part(clustersOf), endpoints: part(endpointsOf), broken: part(brokenOf)
   })
