# describe: what Istio makes of a proxy or a service: its Kubernetes services, what is demanded of connections, and the Istio objects that apply.
# A word is a service when there is one of that name, name.namespace, else a proxy; svc/x and pod/x say which.
#
# words: PROXY|SERVICE…
# output: table
# columns: OF, WHAT, NAME, SAYS
# example: describe reviews-v1
# example: describe svc/reviews
# example: describe productpage.default -o json

def id: "\(.metadata.name).\(.metadata.namespace)";

# whether labels fit a selector, which an object without one has for all
def fits($labels): . == null or . == {} or all(to_entries[]; $labels[.key] == .value);

# whether a host that an object of a namespace names is the service
def means($service; $namespace):
  $service.metadata as {$name, namespace: $of}
  | . == "*" or . == "\($name).\($of)" or . == "\($name).\($of).svc" or startswith("\($name).\($of).svc.")
    or . == $name and $namespace == $of
    or startswith("*.") and (.[1:] as $end | "\($name).\($of).svc.cluster.local" | endswith($end));

def portText: "\(.name // "unnamed") \(.port)/\(.appProtocol // .protocol // "TCP") to \(.targetPort // .port)";

def weight: if .weight then " \(.weight)%" else "" end;
def to: .destination | "\(.host)\(if .subset then "/" + .subset else "" end)\(if .port.number then ":\(.port.number)" else "" end)";
def routeText:
  (if .match then [.match[] | del(.name) | to_entries | map("\(.key) \(.value | tojson)") | join(" and ")] | join(" or ") else "all" end)
  + " → " + (if .redirect then "redirect" elif .directResponse then "status \(.directResponse.status)" else [.route[]? | to + weight] | join(", ") end);

# the rows about services: their ports, and the objects whose hosts mean them
def aboutService($mesh; $labels):
  . as $service
  | .metadata.namespace as $ns
  | {what: "Service", name: id, says: ([.spec.ports[]? | portText] | join(", "))},
    ($mesh.destinationRules[]? | select(.metadata.namespace as $from | .spec.host | means($service; $from))
     | {what: "DestinationRule", name: id,
        says: ([(.spec.trafficPolicy.tls.mode | values | "TLS \(.)"),
                ([.spec.subsets[]? | select($labels == null or (.labels | fits($labels))) | .name] | select(. != []) | "subsets \(join(", "))"),
                ([.spec.subsets[]? | select($labels != null and (.labels | fits($labels) | not)) | .name] | select(. != []) | "not of subsets \(join(", "))")] | join("; "))}),
    ($mesh.virtualServices[]? | select(.metadata.namespace as $from | any((select(.spec.gateways == null or any(.spec.gateways[]; . == "mesh")) | .spec.hosts[]?), .spec.http[]?.route[]?.destination.host, .spec.tcp[]?.route[]?.destination.host; means($service; $from)))
     | {what: "VirtualService", name: id,
        says: ((if .spec.gateways then "gateways \(.spec.gateways | join(", ")): " else "" end)
               + ([.spec.http[]? | routeText] + [.spec.tcp[]?, .spec.tls[]? | routeText] | join("; ")))}),
    ($mesh.httpRoutes[]? | select(any(.spec.rules[]?.backendRefs[]?; .name == $service.metadata.name and (.namespace // $ns) == $ns) and .metadata.namespace == $ns)
     | {what: "HTTPRoute", name: id, says: ([.spec.parentRefs[]? | "parent \(.name)"] | join(", "))});

# the policies that a workload of these labels comes under
def aboutWorkload($mesh; $namespace; $labels):
  ($mesh.pilots[0].namespace // "istio-system") as $root
  | def applies: .metadata.namespace as $in
      | ($in == $namespace or $in == $root) and (.spec.selector.matchLabels | fits($labels)) and ($in == $namespace or .spec.selector == null);
  # the nearest wins: by selector, of the namespace, of the mesh
  ([$mesh.peerAuthentications[]? | select(applies)]
   | sort_by([.metadata.namespace == $root and $namespace != $root, .spec.selector == null, .metadata.creationTimestamp])
   | (first(.[] | select((.spec.mtls.mode // "UNSET") != "UNSET")) // null) as $mode
   | {what: "PeerAuthentication", name: (if $mode then $mode | id else "none" end),
      says: ("mutual TLS is \($mode.spec.mtls.mode // "PERMISSIVE")"
             + ([.[].spec.portLevelMtls // {} | to_entries[] | "; \(.value.mode) on port \(.key)"] | join("")))}),
  ($mesh.authorizationPolicies[]? | select(applies)
   | {what: "AuthorizationPolicy", name: id, says: "\(.spec.action // "ALLOW"), \(.spec.rules // [] | length) rules"}),
  ($mesh.requestAuthentications[]? | select(applies) | {what: "RequestAuthentication", name: id, says: ([.spec.jwtRules[]?.issuer] | join(", "))}),
  ($mesh.sidecars[]? | select((.metadata.namespace == $namespace or .metadata.namespace == $root and .spec.workloadSelector == null) and (.spec.workloadSelector.labels | fits($labels))) | {what: "Sidecar", name: id, says: ([.spec.egress[]?.hosts[]?] | join(", "))}),
  ($mesh.envoyFilters[]? | select(.spec.workloadSelector.labels as $selector | (.metadata.namespace == $namespace or .metadata.namespace == $root) and ($selector | fits($labels)))
   | {what: "EnvoyFilter", name: id, says: ([.spec.configPatches[]?.applyTo] | unique | join(", "))});

def aboutProxy($mesh):
  . as $proxy
  | (.labels // {}) as $labels
  | {what: "Proxy", name: .id, says: "\(.type), Istio \(.version), revision \(.revision // "unknown"), on \(.node // "no node")"},
    {what: "Pilot", name: (.pilot // "none"),
     says: (if .connected then [.sync | to_entries[] | select(.value.status != "IGNORED") | "\(.key | ascii_upcase) \(.value.status)"] | join(", ") else "not connected" end)},
    ($mesh.services[]? | select(.metadata.namespace == $proxy.namespace and .spec.selector != null and (.spec.selector | fits($labels))) | aboutService($mesh; $labels)),
    aboutWorkload($mesh; $proxy.namespace; $labels);

def serviceOf($mesh): . as $word
  | sub("^(svc|service|services)/"; "") as $name
  | if $word | test("^(pod|pods|deploy|deployment|deployments)/") then empty
    else $mesh.services[]? | select(.metadata.name == $name or id == $name or ("\(id).svc" as $long | $name | startswith($long))) end;

. as $mesh
| if $words == [] then error("describe takes the names of proxies or services") else . end
| $words[] as $word
| [$word | serviceOf($mesh)] as $services
| if $services != [] then
    $services[]
    | . as $service
    | {of: "\($word)"} + (
        aboutService($mesh; null),
        (.spec.selector | values as $selector
         | ($mesh.proxies[] | select(.namespace == $service.metadata.namespace and (.labels // {} | . as $labels | $selector | fits($labels)))
            | {what: "Proxy", name: .id, says: (if .connected then if synced then "in sync" else "not in sync" end else "not connected" end)}),
           first($mesh.proxies[] | select(.namespace == $service.metadata.namespace and (.labels // {} | . as $labels | $selector | fits($labels))) | aboutWorkload($mesh; .namespace; .labels))?))
  elif $word | test("^(svc|service|services)/") then error("no service named \($word | sub("^[^/]*/"; ""))")
  else {of: $word} + ($mesh | proxy($word | sub("^pods?/"; "")) | aboutProxy($mesh)) end
