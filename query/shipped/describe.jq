# describe: what Istio makes of a proxy or a service: its Kubernetes services, what is demanded of connections, and the Istio objects that apply.
# What was not read is said to be unknown, and the exit code is 6. Mutual TLS is judged by the filter chains that Envoy has in force:
# where it doesn't do what the object asks for, the row says so, and why.
# Of a workload in an ambient mesh, it shows the ztunnel of its node, the policies at each hop, its waypoint, and routes.
# A word is a service when there is one of that name, name.namespace, else a proxy; svc/x and pod/x say which. gateway/x is a Gateway:
# the proxies that serve it, and what is bound to it. virtualservice/x says which proxies use it, and where another one wins.
#
# words: PROXY|SERVICE|gateway/NAME|virtualservice/NAME…
# output: table
# columns: OF, WHAT, NAME, SAYS
# blocks: WHAT, NAME
# example: describe reviews-v1
# example: describe svc/reviews
# example: describe gateway/bookinfo-gateway
# example: describe virtualservice/reviews-complex
# example: describe productpage.default -o json

def id: "\(.metadata.name).\(.metadata.namespace)";

# known(what; rows): rows about something, and one more where not all was read that they are made of.
def known($what; rows): _judged(rows; {what: $what, name: null, says: "unknown (not read)", missing: .message});

# whether labels fit a selector, which an object without one has for all
def fits($labels):
  if . == null or . == {} then true
  elif $labels == null then _unknown("labels"; "the labels of the workload are not known")
  else all(to_entries[]; $labels[.key] == .value) end;

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
def virtualServiceText:
  (if .spec.gateways then "gateways \(.spec.gateways | join(", ")): " else "" end)
  + ([.spec.http[]? | routeText] + [.spec.tcp[]?, .spec.tls[]? | routeText] | join("; "));

# the rows about services: their ports, and the objects whose hosts mean them
def aboutService($mesh; $labels):
  . as $service
  | .metadata.namespace as $ns
  | {what: "Service", name: id, says: ([.spec.ports[]? | portText] | join(", "))},
    known("DestinationRule";
      $mesh.destinationRules[]
      | _apart(
          select(.metadata.namespace as $from | .spec.host | means($service; $from))
          | {what: "DestinationRule", name: id,
             says: ([(.spec.trafficPolicy.tls.mode | values | "TLS \(.)"),
                     ([.spec.subsets[]? | select($labels == null or (.labels | fits($labels))) | .name] | select(. != []) | "subsets \(join(", "))"),
                     ([.spec.subsets[]? | select($labels != null and (.labels | fits($labels) | not)) | .name] | select(. != []) | "not of subsets \(join(", "))")] | join("; "))})),
    known("VirtualService";
      $mesh.virtualServices[]
      | select(.metadata.namespace as $from | any((select(.spec.gateways == null or any(.spec.gateways[]; . == "mesh")) | .spec.hosts[]?), .spec.http[]?.route[]?.destination.host, .spec.tcp[]?.route[]?.destination.host; means($service; $from)))
      | {what: "VirtualService", name: id, says: virtualServiceText}),
    known("HTTPRoute";
      $mesh.httpRoutes[]
      | select(any(.spec.rules[]?.backendRefs[]?; .name == $service.metadata.name and (if has("namespace") then .namespace else $ns end) == $ns) and .metadata.namespace == $ns)
      | {what: "HTTPRoute", name: id, says: ([.spec.parentRefs[]? | "parent \(.name)"] | join(", "))});

def gatewayName: if .labels == null then null else .labels["gateway.networking.k8s.io/gateway-name"] // .labels["istio.io/gateway-name"] end;

# whether a policy applies to a proxy: one with targetRefs to its targets alone, any other by its selector to workloads of its namespace,
# of all namespaces where it is in the root namespace
def applies($proxy; $mesh; $root):
  .metadata.namespace as $in
  | (.spec.targetRefs // [.spec.targetRef | values]) as $targets
  | if $targets == [] then
      $proxy.type != "waypoint" and ($in == $proxy.namespace or $in == $root) and (.spec.selector.matchLabels // .spec.workloadSelector.labels | fits($proxy.labels))
    elif $proxy.type == "sidecar" then false
    elif $proxy.labels == null then _unknown("labels"; "the labels of the workload are not known")
    else any($targets[];
      if .kind == "Gateway" and .group == "networking.istio.io" then
        "\(.name).\(if has("namespace") then .namespace else $in end)" as $gateway | any($mesh.gateways[] | select(id == $gateway); .spec.selector | fits($proxy.labels))
      elif .kind == "Gateway" then .name == ($proxy | gatewayName) and (if has("namespace") then .namespace else $in end) == $proxy.namespace
      elif .kind == "GatewayClass" then $proxy.type == "waypoint" and $in == $root and .name == ($proxy.labels["gateway.networking.k8s.io/gateway-class-name"] // "istio-waypoint")
      else $proxy.type == "waypoint" and $in == $proxy.namespace end) end;

# The PeerAuthentications of a proxy: {name, mode, ports}. The oldest of each level counts; one with a selector in the root namespace is of none.
def asked($mesh; $root):
  . as $proxy
  | [$mesh.peerAuthentications[]
     | (.spec.selector.matchLabels // {}) as $selector
     | (if .metadata.namespace == $root then if $selector == {} then 2 else empty end
        elif .metadata.namespace != $proxy.namespace then empty
        elif $selector == {} then 1
        elif $selector | fits($proxy.labels) then 0
        else empty end) as $level
     | {$level, name: id, at: .metadata.creationTimestamp, mode: (.spec.mtls.mode // "UNSET"), ports: (.spec.portLevelMtls // {} | map_values(.mode // "UNSET"))}]
  | [group_by(.level)[] | sort_by([.at, .name])[0]]
  | ([.[] | select(.level == 0) | .ports][0] // {}) as $ports
  | [.[] | select(.mode != "UNSET")][0]
  | {name: (.name // "none"), mode: (.mode // "PERMISSIVE"), ports: ($ports | with_entries(select(.value != "UNSET")))};

def portName: if . == null then "other ports" else "port \(.)" end;

# why Envoy has other filter chains than an object asks for
def whyNot:
  [.listeners[] | select(.state == "REJECTED" and (.trafficDirection == "INBOUND" or .name == "virtualInbound"))] as $rejected
  | if $rejected != [] then "Envoy rejected the listener \($rejected[0].name): \($rejected[0].error // "it is not known why")"
    elif .sync.lds.status == "ERROR" then "it refused the listeners that istiod sent: \(.sync.lds.error // "it is not known why")"
    elif .sync.lds.status == "STALE" then "it has not taken the listeners that istiod sent"
    elif .sync.lds.status == "SYNCED" then "istiod has sent nothing else"
    else "it is not known why" end;

# What is asked for of connections, and what Envoy does.
def mutualTLS($mesh; $root):
  . as $proxy
  | [_judged(asked($mesh; $root); null)][0] as $asked
  | [_judged([_inbound] | sort_by(.port == null); null)][0] as $ports
  | def of: . as $port | if $port == null then $asked.mode else $asked.ports["\($port)"] // $asked.mode end;
    [$ports // [] | .[] | select(.plain) | .port] as $plain
  | {what: "PeerAuthentication", name: $asked.name,
     says: (
       if $asked == null then
         "unknown (not read)"
         + if $plain != [] then "; by its listeners, plain text gets in on \($plain | map(portName) | join(", "))"
           elif $ports == null or $ports == [] then "" else "; by its listeners, only mutual TLS gets in" end
       elif $ports == null then
         "mutual TLS is to be \($asked.mode)\([$asked.ports | to_entries[] | "; \(.value) on port \(.key)"] | join("")); whether that is in force is unknown (not read)"
       else
         [$plain[] | select(of == "STRICT")] as $open
         | [$ports[] | select(.plain | not) | .port | select(of == "PERMISSIVE")] as $shut
         | if $open != [] then
             "STRICT is not in force: plain text gets in on \($open | map(portName) | join(", ")); \($proxy | [_judged(whyNot; "it is not known why")][0])"
           elif $ports == [] and $asked.mode == "STRICT" then "STRICT is not in force: Envoy has no listener for what comes in"
           else
             "mutual TLS is \($asked.mode)\([$asked.ports | to_entries[] | "; \(.value) on port \(.key)"] | join(""))"
             + if $shut != [] then "; Envoy takes nothing else than mutual TLS on \($shut | map(portName) | join(", "))" else "" end
           end
       end)}
  | if $asked == null then .missing = "peerAuthentications" elif $ports == null then .missing = "listeners" else . end;

# the policies that a workload comes under
def aboutWorkload($mesh):
  . as $proxy
  | ([$mesh.pilots[] | .namespace | values] + ["istio-system"])[0] as $root
  | (select(.type == "sidecar") | mutualTLS($mesh; $root)),
    known("AuthorizationPolicy"; $mesh.authorizationPolicies[]
      | _apart(select(applies($proxy; $mesh; $root)) | {what: "AuthorizationPolicy", name: id, says: "\(.spec.action // "ALLOW"), \(.spec.rules // [] | length | if . == 1 then "1 rule" else "\(.) rules" end)"})),
    known("RequestAuthentication"; $mesh.requestAuthentications[]
      | _apart(select(applies($proxy; $mesh; $root)) | {what: "RequestAuthentication", name: id, says: ([.spec.jwtRules[]?.issuer] | join(", "))})),
    known("Sidecar"; select(.type == "sidecar") | $mesh.sidecars[]
      | _apart(select((.metadata.namespace == $proxy.namespace or .metadata.namespace == $root and .spec.workloadSelector == null) and (.spec.workloadSelector.labels | fits($proxy.labels)))
               | {what: "Sidecar", name: id, says: ([.spec.egress[]?.hosts[]?] | join(", "))})),
    known("EnvoyFilter"; $mesh.envoyFilters[]
      | _apart(select(applies($proxy; $mesh; $root)) | {what: "EnvoyFilter", name: id, says: ([.spec.configPatches[]?.applyTo] | unique | join(", "))}));

# the VirtualServices that are bound to some of the Istio Gateways, each as namespace/name
def boundTo($gateways; $mesh):
  $mesh.virtualServices[]
  | .metadata.namespace as $in
  | select(any(.spec.gateways[]?; (if contains("/") then . else "\($in)/\(.)" end) as $named | any($gateways[]; . == $named)))
  | {what: "VirtualService", name: id, says: "hosts \(.spec.hosts // [] | join(", ")): \(virtualServiceText)"};

# the HTTPRoutes that are bound to a Gateway of the Gateway API
def routesOfGateway($name; $namespace; $mesh):
  $mesh.httpRoutes[] | .metadata.namespace as $in
  | select(any(.spec.parentRefs[]?; .name == $name and (.kind // "Gateway") == "Gateway" and (if has("namespace") then .namespace else $in end) == $namespace))
  | {what: "HTTPRoute", name: id, says: ([.spec.hostnames[]?] | join(", "))};

# the Gateways that a gateway serves, and the routes that are bound to them
def aboutGateway($mesh):
  . as $proxy
  | def served: $mesh.gateways[] | _apart(select(.spec.selector | fits($proxy.labels)));
    known("Gateway"; served | {what: "Gateway", name: id, says: ([.spec.servers[]? | "\(.port.protocol) \(.port.number) \(.hosts // [] | join(" "))"] | join(", "))}),
    known("VirtualService";
      ([served | "\(.metadata.namespace)/\(.metadata.name)"]) as $gateways
      | boundTo($gateways; $mesh)),
    (gatewayName as $name
     | select($name != null)
     | known("Gateway"; $mesh.kubeGateways[] | select(.metadata.name == $name and .metadata.namespace == $proxy.namespace)
         | {what: "Gateway", name: id, says: ([.spec.listeners[]? | "\(.protocol) \(.port) \(.hostname // "*")"] | join(", "))}),
       known("HTTPRoute"; routesOfGateway($name; $proxy.namespace; $mesh)));

# the services that select a proxy, or one row that says that they were not read
def servicesOf($mesh):
  . as $proxy
  | _judged([$mesh.services[] | select(.metadata.namespace == $proxy.namespace and .spec.selector != null) | select(.spec.selector | fits($proxy.labels))];
            {what: "Service", name: null, says: "unknown (not read)", missing: .message})
  | if type == "array" then .[] | aboutService($mesh; $proxy.labels) else . end;

def stands:
  if .connected == null then _unknown("connected"; "no istiod was read that would say whether it is connected")
  elif .connected then _sync as $sync | if synced then "in sync" else "not in sync" end
  else "not connected" end;

# what is demanded at a proxy
def demanded($mesh):
  (select(.type == "router" or .type == "waypoint") | aboutGateway($mesh)),
  (select(_isEnvoy) | aboutWorkload($mesh));

def aboutProxy($mesh):
  {what: "Proxy", name: .id, says: "\(.type), Istio \(.version // "unknown"), revision \(.revision // "unknown"), on \(.node // "unknown node")"},
  known("Pilot";
    if .connected == null then _unknown("connected"; "no istiod was read that would say whether it is connected") else . end
    | {what: "Pilot", name: (.pilot // "none"),
       says: (if .connected then [_judged([_sync | to_entries[] | select(.value.status != "IGNORED") | "\(.key | ascii_upcase) \(.value.status)"] | join(", "); "connected; what was sent and taken is unknown (not read)")][0]
              else "not connected" end)}),
  servicesOf($mesh),
  demanded($mesh);

def kindWord: test("^(pods?|po|svc|services?|deploy|deployments?|gateways?|gw|virtualservices?|vs)$");

# the proxies behind a service
def behind($mesh): . as $service
  | .spec.selector | values as $selector
  | $mesh.proxies[]
  | select(.namespace == $service.metadata.namespace)
  | select(.labels as $labels | $selector | fits($labels));

def serviceOf($mesh): . as $word
  | sub("^(svc|service|services)/"; "") as $name
  | if $word | test("^(pod|pods|deploy|deployment|deployments)/") then empty
    else $mesh.services[] | select(.metadata.name == $name or id == $name or ("\(id).svc" as $long | $name | startswith($long))) end;

# rows of proxies of which the same is said, as one row
def together(rows):
  [rows] | group_by(.says)[]
  | if .[4:] == [] then .[] else .[0] + {name: "\(length) proxies", proxies: map(.name)} end;

def listenerText: "\(.protocol) \(.port) \(.hostname // "*")";
def serverText: "\(.port.protocol) \(.port.number) \(.hosts // [] | join(" "))" + (if .tls.credentialName then " with \(.tls.credentialName)" else "" end);

# a Gateway of Istio: its servers, the proxies that serve it, and the VirtualServices that are bound to it
def aboutIstioGateway($mesh):
  . as $gateway
  | {what: "Gateway", name: id, says: ([.spec.servers[]? | serverText] | join(", "))},
    known("Proxy"; together($mesh.proxies[] | select(_isEnvoy) | _apart(select(.labels as $labels | $gateway.spec.selector | fits($labels)) | {what: "Proxy", name: .id, says: [_judged(stands; "unknown (not read)")][0]}))),
    known("VirtualService"; boundTo(["\($gateway.metadata.namespace)/\($gateway.metadata.name)"]; $mesh));

# a Gateway of the Gateway API
def aboutKubeGateway($mesh):
  .metadata as {$name, $namespace}
  | {what: "Gateway", name: id, says: ([.spec.listeners[]? | listenerText] | join(", "))},
    known("Proxy"; together($mesh.proxies[] | select(.namespace == $namespace and gatewayName == $name) | {what: "Proxy", name: .id, says: [_judged(stands; "unknown (not read)")][0]})),
    known("HTTPRoute"; routesOfGateway($name; $namespace; $mesh));

# What a proxy has of a VirtualService: how many routes, in which virtual hosts, and which of its routes or hosts lose against others.
def useOf($id; $hosts):
  [.routes[] | select(.state == "ACTIVE" or .state == "STATIC") | .name as $configuration | .virtualHosts[]? | . + {$configuration}] as $all
  | [$all[] | select(any(.routes[]; .virtualService == $id))] as $in
  | [$in[] | .routes as $routes | .name as $host | ($routes | _shadows) as [$i, $by] | select($routes[$i].virtualService == $id)
     | "route \($i + 1) of \($host) is never reached, route \($by + 1)\(if $routes[$by].virtualService != $id then " of \($routes[$by].virtualService // "none")" else "" end) takes all"] as $shadowed
  | [$all[] | select(any(.routes[]; .virtualService == $id) | not) | select(any(.domains[]; . as $d | any($hosts[]; . == $d)))
     | .name as $host | [.routes[].virtualService | values] | unique[] | "at \($host) \(.) wins"] as $lost
  | if $in == [] and $lost == [] then empty
    else
      (if $in == [] then "none of its HTTP routes" else "\([$in[].routes[] | select(.virtualService == $id)] | length) routes in \([$in[].name] | unique | join(", "))" end)
      + ([$shadowed[], $lost[]] | unique | if . == [] then "" else "; " + join("; ") end)
    end;

# a VirtualService: what it says, its gateways, and the proxies that use it
def aboutVirtualService($mesh):
  . as $object
  | id as $id
  | .metadata.namespace as $in
  | [.spec.hosts[]? | if contains(".") then . else "\(.).\($in).svc.cluster.local" end] as $hosts
  | {what: "VirtualService", name: $id, says: "hosts \(.spec.hosts // [] | join(", ")): \(virtualServiceText)"},
    known("Gateway";
      [$mesh.gateways[] | "\(.metadata.namespace)/\(.metadata.name)"] as $all
      | $object.spec.gateways[]? | select(. != "mesh")
      | (if contains("/") then . else "\($in)/\(.)" end) as $named
      | {what: "Gateway", name: $named, says: (if any($all[]; . == $named) then "bound to it" else "there is none of that name" end)}),
    (select(.spec.tcp or .spec.tls) | known("Proxy"; _unknown("listeners"; "which proxies have its TCP and TLS routes is not known: a filter chain doesn't name the VirtualService"))),
    (select(.spec.http) | [known("Proxy"; together($mesh.proxies[] | select(_isEnvoy) | _apart([_judged(useOf($id; $hosts); "unknown (not read)")][] as $says | {what: "Proxy", name: .id, $says})))]
     | if . == [] then {what: "Proxy", name: "none", says: "no proxy has a route of it"} else .[] end);

# an object of a list by its name, or name.namespace
def objectsNamed($name; list): [list[] | select(.metadata.name == $name or id == $name)];

# the rows about kind/name
def aboutObject($mesh; $word):
  ($word | sub("^[^/]*/"; "")) as $name
  | if $word | test("^(vs|virtualservices?)/") then
      [_judged(objectsNamed($name; $mesh.virtualServices)[] | aboutVirtualService($mesh); {what: "VirtualService", name: null, says: "unknown (not read)", missing: .message})]
    else
      [_judged(objectsNamed($name; $mesh.gateways)[] | aboutIstioGateway($mesh); {what: "Gateway", name: null, says: "unknown (not read)", missing: .message})]
      + [_judged(objectsNamed($name; $mesh.kubeGateways)[] | aboutKubeGateway($mesh); empty)]
    end
  | if . == [] then error("no \(if $word | test("^v") then "VirtualService" else "Gateway" end) named \($name)") else .[] end;

# "pod x" in two words is "pod/x"
def joined:
  . as $all
  | [range(length) | . as $i | select($all[$i] | kindWord | not) | if $i > 0 and ($all[$i - 1] | kindWord) then "\($all[$i - 1])/\($all[$i])" else $all[$i] end];

def rulesCount: if . == 1 then "1 rule" else "\(.) rules" end;

# Ambient meshes: the waypoint of an object, and whether it is there and in sync.
def waypointOf($mesh): . as $object | [_useWaypoint, ($mesh.namespaces[] | select(.metadata.name == $object.metadata.namespace) | _useWaypoint), {name: "none"}][0] | select(.name != "none");

def waypointState($mesh):
  . as $waypoint
  | [$mesh.kubeGateways[] | select(id == "\($waypoint.name).\($waypoint.namespace)")][0] as $gateway
  | [$mesh.proxies[] | select(.namespace == $waypoint.namespace and gatewayName == $waypoint.name)] as $proxies
  | if $gateway == null then "bound to it, and there is no Gateway of that name"
    elif $proxies == [] then "bound to it, and it has no proxy"
    else "for \($gateway.metadata.labels["istio.io/waypoint-for"] // "service"); \([$proxies[] | "\(.id) is \([_judged(stands; "unknown (not read)")][0])"] | join(", "))"
    end;

def ruleText: ([.matches[]? | [(.path | values | "\(.type // "PathPrefix") \(.value)"), (.method | strings), (.headers[]? | "header \(.name)"), (.method | objects | "\(.service // "*")/\(.method // "*")")] | join(" and ")] | map(select(. != "")) | if . == [] then "all" else join(" or ") end)
  + " → " + ([.backendRefs[]? | "\(.name)\(if .port then ":\(.port)" else "" end)\(if .weight then " \(.weight)" else "" end)"] | join(", "));

# the routes of the Gateway API that are bound to a service: its waypoint applies them
def routesOfService($mesh; $kind; routes):
  .metadata as {$name, $namespace}
  | known($kind; routes
      | .metadata.namespace as $in
      | select(any(.spec.parentRefs[]?; .kind == "Service" and .name == $name and (if has("namespace") then .namespace else $in end) == $namespace))
      | {what: $kind, name: id, says: ([.spec.rules[]? | ruleText] | join("; "))});

# the policies for a service, or for its waypoint
def policiesAt($mesh; $waypoint; $kind; policies):
  .metadata as {$name, $namespace}
  | known($kind; policies
      | .metadata.namespace as $in
      | select(any(.spec.targetRefs[]?, (.spec.targetRef | values);
          (if has("namespace") then .namespace else $in end) as $of
          | .kind == "Service" and .name == $name and $of == $namespace or .kind == "Gateway" and .name == $waypoint.name and $of == $waypoint.namespace))
      | {what: $kind, name: id, says: "at waypoint \($waypoint.name).\($waypoint.namespace): \(.spec.action // "ALLOW"), \(.spec.rules // .spec.jwtRules // [] | length | rulesCount)"});

def aboutAmbientService($mesh):
  if $mesh | _isAmbient | not then empty else
    . as $service
    | known("Workload";
        [$mesh.proxies[] | select(.type == "ztunnel")][0]
        | values
        | .services[]
        | select(.name == $service.metadata.name and .namespace == $service.metadata.namespace)
        | .endpoints | to_entries[]
        | {what: "Workload", name: (.key | split("/")[-1] + "." + split("/")[-2]), says: "an endpoint, by the first ztunnel: \([.value.port | to_entries[] | "\(.key) to \(.value)"] | join(", "))"}),
      known("Waypoint"; waypointOf($mesh) | {what: "Waypoint", name: "\(.name).\(.namespace)", says: waypointState($mesh)}),
      routesOfService($mesh; "HTTPRoute"; $mesh.httpRoutes[]),
      routesOfService($mesh; "GRPCRoute"; $mesh.grpcRoutes[]),
      ([_judged(waypointOf($mesh); empty)][] as $waypoint
       | $service
       | policiesAt($mesh; $waypoint; "AuthorizationPolicy"; $mesh.authorizationPolicies[]),
         policiesAt($mesh; $waypoint; "RequestAuthentication"; $mesh.requestAuthentications[]))
  end;

# a policy of a ztunnel by the name of its object: istiod makes some from PeerAuthentications
def policyOfZtunnel:
  (.name | ltrimstr("converted_peer_authentication_")) as $converted
  | {what: (if .name == "istio_converted_static_strict" or $converted != .name then "PeerAuthentication" else "AuthorizationPolicy" end),
     name: (if .name == "istio_converted_static_strict" then "STRICT" else "\($converted).\(.namespace)" end),
     says: ("at the ztunnel: \(.action | ascii_upcase), \(.rules | length | rulesCount), \({Global: "for the mesh", Namespace: "for the namespace", WorkloadSelector: "for the workload"}[.scope] // .scope)"
       + if .dryRun == true then ", dry run" else "" end)};

# a workload of an ambient mesh, as its ztunnel knows it
def aboutAmbientWorkload($mesh):
  . as $workload
  | [$mesh.proxies[] | select(.type == "ztunnel" and .node == $workload.node)][0] as $ztunnel
  | {what: "Workload", name: "\(.name).\(.namespace)",
     says: "protocol \(.protocol), on \(.node // "unknown node"), \(.workloadIps // [] | join(", ")), \(if .serviceAccount then "spiffe://\(.trustDomain)/ns/\(.namespace)/sa/\(.serviceAccount)" else "no identity" end)"},
    (if .protocol != "HBONE" then {what: "Ztunnel", name: "none", says: "it is not in the ambient mesh: its connections pass no ztunnel"}
     elif $ztunnel == null then {what: "Ztunnel", name: "none", says: "its node has no ztunnel among what was read"}
     else
       known("Ztunnel"; $ztunnel
         | {what: "Ztunnel", name: .id,
            says: (if .connected then [_judged([_sync | to_entries[] | select(.value.status != "IGNORED") | "\(.key | ascii_upcase) \(.value.status)"] | join(", "); "connected; what was sent and taken is unknown (not read)")][0]
                   elif .connected == null then "unknown (not read)" else "not connected" end)}),
       known("AuthorizationPolicy"; $ztunnel.policies[]
         | . as $policy
         | select(.scope == "Global" or .scope == "Namespace" and .namespace == $workload.namespace or any($workload.authorizationPolicies | values[]; . == "\($policy.namespace)/\($policy.name)"))
         | policyOfZtunnel)
     end),
    (select(.waypoint != null) | {what: "Waypoint", name: (.waypoint.destination | sub("^[^/]*/"; "")), says: "for connections to the workload itself"}),
    known("Service";
      [($workload.services | values)[] | sub("^[^/]*/"; "") | split(".")[:2] | join(".")] as $names
      | $mesh.services[]
      | select(id as $id | any($names[]; . == $id))
      | aboutService($mesh; null), aboutAmbientService($mesh));

# rows that are the same of several proxies, once
def once(rows): reduce rows as $row ([]; if any(.[]; . == $row) then . else . + [$row] end) | .[];

. as $mesh
| if $words == [] then error("describe takes the names of proxies or services, gateway/x or virtualservice/x") else . end
| ($words | joined[]) as $word
| if $word | test("^(vs|virtualservices?|gw|gateways?)/") then {of: $word} + aboutObject($mesh; $word)
  else
  [_judged($word | serviceOf($mesh); null)] as $found
| [$found[] | values] as $services
| if $services != [] then
    $services[]
    | {of: $word} + (
        aboutService($mesh; null),
        aboutAmbientService($mesh),
        known("Proxy"; behind($mesh) | {what: "Proxy", name: .id, says: [_judged(stands; "unknown (not read)")][0]}),
        once(_apart(behind($mesh)) | demanded($mesh)))
  elif $word | test("^(svc|service|services)/") then
    if $found == [] then error("no service named \($word | sub("^[^/]*/"; ""))")
    else {of: $word, what: "Service", name: null, says: "unknown (not read)", missing: "services"} end
  else
    {of: $word}
    + ($mesh
       | [if isempty(proxies($word | sub("^pods?/"; ""))) then workload($word) else empty end] as $workloads
       | if $workloads == [] then proxy($word | sub("^pods?/"; "")) | aboutProxy($mesh) else $workloads[0] | aboutAmbientWorkload($mesh) end)
  end
  end
