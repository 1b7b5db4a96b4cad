# Parts of an ambient mesh, for checks and describe.

# _isAmbient: whether the mesh has a ztunnel or a waypoint. In any other mesh, the checks of ambient meshes read nothing more.
def _isAmbient: any(.proxies[]; .type == "ztunnel" or .type == "waypoint");

# _running: whether a pod runs, as far as its status says.
def _running: .status.phase == null or .status.phase == "Running";

# _isRedirected: whether Istio's CNI plugin has redirected the connections of a pod to the ztunnel of its node.
def _isRedirected: .metadata.annotations["ambient.istio.io/redirection"] == "enabled";

# _objectId: name.namespace of a Kubernetes object, its name alone without a namespace.
def _objectId: .metadata | if .namespace then "\(.name).\(.namespace)" else .name end;

# _useWaypoint: the waypoint to which a Kubernetes object is bound by its own labels: {name, namespace}. Empty without one; name is "none" if the object opts out.
def _useWaypoint:
  (.metadata.labels // {}) as $labels
  | select($labels["istio.io/use-waypoint"] != null)
  | {name: $labels["istio.io/use-waypoint"], namespace: ($labels["istio.io/use-waypoint-namespace"] // .metadata.namespace // .metadata.name)};

# _isUnready: whether the status of a pod says that it is not ready.
def _isUnready: any(.status.conditions[]?; .type == "Ready" and .status != "True");

# _serving($pods): the pods of a proxy's workload, with what the mesh says of each: {id, unready, connected}. connected is absent for a proxy
# that is not among .proxies: -n, -l and the names of proxies leave proxies out, but no pods.
def _serving($pods): . as $mesh | [$pods[] | _objectId as $id | {$id, unready: _isUnready} + [($mesh.proxies[] | select(.id == $id) | {connected}), {}][0]];

# _gatewayName: the Gateway of the Gateway API that a proxy belongs to, from the labels of its pod; null without one.
def _gatewayName: if .labels == null then null else .labels["gateway.networking.k8s.io/gateway-name"] // .labels["istio.io/gateway-name"] end;

# _httpRules: what istiod leaves out when it makes a ztunnel's policy from an AuthorizationPolicy (Istio 1.31: ambient/authorization.go, handleRule).
# One object per rule with HTTP attributes: {rule, http, left}. left is "dropped" for a rule of an ALLOW policy. A rule of a DENY policy
# loses its attributes: it is then "broader", or "empty" and never denies, because a match without conditions never matches.
def _httpRules:
  def http($names): . as $of | [$names[] | select(($of[.] // []) != [])];
  (.spec.action // "ALLOW") as $action
  | (.spec.rules // []) | to_entries[]
  | .key as $i | .value
  | [.to[]? | .operation // {} | {http: http(["hosts", "notHosts", "methods", "notMethods", "paths", "notPaths"]), l4: (http(["ports", "notPorts"]) != [])}] as $to
  | [.from[]? | .source // {} | {http: http(["remoteIpBlocks", "notRemoteIpBlocks", "requestPrincipals", "notRequestPrincipals"]),
       l4: (http(["ipBlocks", "notIpBlocks", "namespaces", "notNamespaces", "serviceAccounts", "notServiceAccounts", "principals", "notPrincipals"]) != [])}] as $from
  | [.when[]? | (.key | IN("source.ip", "source.namespace", "source.principal", "destination.ip", "destination.port")) as $l4 | {http: (if $l4 then [] else [.key] end), $l4}] as $when
  | ([($to, $from, $when)[].http[]] | unique) as $http
  | select($http != [])
  | {rule: ($i + 1), $http,
     left: (if $action == "ALLOW" then "dropped"
            elif ($to != [] and all($to[]; .l4 | not)) or ($from != [] and all($from[]; .l4 | not)) or any($when[]; .l4 | not) then "empty"
            else "broader" end)};

# _isWorkload: whether labels are those of a workload, not of a gateway, a waypoint or a ztunnel.
def _isWorkload: .["gateway.networking.k8s.io/gateway-name"] == null and .["istio.io/gateway-name"] == null and .app != "ztunnel" and (.istio // "" | endswith("gateway") | not);

# _networkPolicy: what a NetworkPolicy says: {id, in, selector, ingress, egress, types}.
def _networkPolicy:
  {id: _objectId, in: .metadata.namespace, selector: (.spec.podSelector // {}), ingress: (.spec.ingress // []), egress: (.spec.egress // []),
   types: (.spec.policyTypes // (["Ingress"] + if .spec.egress then ["Egress"] else [] end))};

# _letsHBONE($rules): whether some rule of a NetworkPolicy lets the port of HBONE through, from or to any peer. A named port never is that port, since no container has it.
def _letsHBONE($rules):
  def isHBONE: (.protocol // "TCP") == "TCP" and (.port == null or (.port | type) == "number" and (.port == 15008 or .endPort != null and .port <= 15008 and .endPort >= 15008));
  any($rules[]; (.ports // []) == [] or any(.ports[]; isHBONE));

# _ztunnelsOf($words): for each word, the ztunnels that a command asks, as {ztunnel, pod}. A word is a ztunnel; or a pod or workload, which
# means the ztunnel of its node, and pod is then its {name, namespace}. Without words, it is every ztunnel.
def _ztunnelsOf($words):
  . as $mesh
  | if $words == [] then .proxies[] | select(.type == "ztunnel") | {ztunnel: ., pod: null}
    else
      $words[]
      | . as $word
      | [$mesh | _proxies($word | sub("^pods?/"; ""))] as $named
      | if any($named[]; .type == "ztunnel") then $named[] | select(.type == "ztunnel") | {ztunnel: ., pod: null}
        else
          [if $named != [] then $named[] | {name, namespace, node} else $mesh | _workload($word) | {name, namespace, node} end] as $pods
          | if $pods == [] then error("no ztunnel and no workload named \($word)") else $pods[] end
          | . as $pod
          | [$mesh.proxies[] | select(.type == "ztunnel" and .node == $pod.node)]
          | if . == [] then error("\($word) is on node \($pod.node // "unknown"), which has no ztunnel among the proxies") else .[] end
          | {ztunnel: ., $pod}
        end
    end;

# _isEnvoy: whether a proxy is an Envoy, as all are that are neither ztunnels nor agentgateways.
def _isEnvoy: .type != "ztunnel" and .type != "agentgateway";
