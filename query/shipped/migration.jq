# migration: what of a namespace with sidecars would behave differently in an ambient mesh: one row per object, with the reason.
# A ztunnel reads connections, and no HTTP; a waypoint does, for the services that are bound to it. EFFECT is "lost" where an object has no
# effect any more, "changed" where it has another one, and "waypoint" where it needs a waypoint (its Gateway, the label istio.io/use-waypoint
# on the service, and targetRefs in policies). The reasons are those of Istio 1.31.
#
# words: NAMESPACE…
# output: table
# columns: NAMESPACE, EFFECT, OBJECT, NAME, REASON
# blocks: EFFECT, OBJECT, NAME
# example: migration default
# example: migration -o json

def fits($labels): . == null or . == {} or all(to_entries[]; $labels[.key] == .value);
def targets: .spec.targetRefs // [.spec.targetRef | values];
def row($namespace; $effect; $kind; $reason): {$namespace, $effect, object: $kind, name: _objectId, $reason};

# hosts that an object names, as "name.namespace" of a service
def service($namespace): if . == "*" or startswith("*.") then . elif contains(".") then split(".")[:2] | join(".") else "\(.).\($namespace)" end;

def ofVirtualService($ns):
  def matches: .spec.http[]?.match[]?, .spec.tcp[]?.match[]?, .spec.tls[]?.match[]?;
  select((.spec.gateways // ["mesh"]) | any(.[]; . == "mesh"))
  | (if any(.spec.hosts[]?; service($ns) | endswith(".\($ns)") or . == "*" or startswith("*.") or (test("[.]") | not)) then
       row($ns; "waypoint"; "VirtualService"; "a ztunnel has no routes: they need a waypoint of the service")
     else
       row($ns; "lost"; "VirtualService"; "a waypoint takes only the routes of its own namespace and of the service's, not those of a client's namespace")
     end),
    (select(any(matches; .sourceLabels != null)) | row($ns; "lost"; "VirtualService"; "a waypoint leaves out what matches sourceLabels")),
    (select(any((.spec.tcp[]?.match[]?, .spec.tls[]?.match[]?); .sourceNamespace != null)) | row($ns; "lost"; "VirtualService"; "a waypoint leaves out tcp and tls routes that match sourceNamespace")),
    (select(any(.spec.tls[]?.match[]?.sniHosts[]?; startswith("*")) or any(.spec.tls[]?.match[]?; .sniHosts | length > 1)) | row($ns; "lost"; "VirtualService"; "of tls matches, a waypoint takes only those of the service's own name as sniHosts"));

def ofDestinationRule($ns):
  row($ns; "waypoint"; "DestinationRule"; "a ztunnel applies no traffic policy and no subsets: they need a waypoint of the service"),
  (select((.spec.trafficPolicy.tls.mode // "ISTIO_MUTUAL") | . == "DISABLE" or . == "SIMPLE" or . == "MUTUAL")
   | row($ns; "changed"; "DestinationRule"; "its TLS mode \(.spec.trafficPolicy.tls.mode) does not hold for a client's ztunnel, which uses HBONE where the workload accepts it"));

def ofAuthorizationPolicy($ns):
  select(targets == [])
  | [_httpRules] as $rules
  | if .spec.action | IN("CUSTOM", "AUDIT") then row($ns; "lost"; "AuthorizationPolicy"; "a ztunnel has no action \(.spec.action): it needs a waypoint and targetRefs")
    elif $rules != [] then
      row($ns; "changed"; "AuthorizationPolicy";
        "a ztunnel can't read \([$rules[].http[]] | unique | join(", ")): "
        + (if (.spec.action // "ALLOW") == "ALLOW" then "the rule is dropped, and less is allowed" elif any($rules[]; .left == "broader") then "more is denied than it says" else "the rule denies nothing" end)
        + "; it needs a waypoint and targetRefs")
    elif any(.spec.rules[]?.from[]?.source; .principals != null or .namespaces != null or .serviceAccounts != null) then
      row($ns; "changed"; "AuthorizationPolicy"; "behind a waypoint, the ztunnel sees the waypoint's identity, not the client's: allow that, or attach the policy to the waypoint")
    else empty end;

. as $mesh
| ([.pilots[] | .namespace | values] + ["istio-system"])[0] as $root
| [.pods[] | select(_running and any(.spec.containers[]?, .spec.initContainers[]?; .name == "istio-proxy") and (.metadata.labels // {} | _isWorkload))] as $sidecars
| (if $words != [] then $words else [$sidecars[].metadata.namespace] | unique end)[] as $ns
| $mesh
| (_apart(.virtualServices[] | select(.metadata.namespace == $ns) | ofVirtualService($ns))),
  (_apart(.destinationRules[] | select(.metadata.namespace == $ns) | ofDestinationRule($ns))),
  (_apart(.authorizationPolicies[] | select(.metadata.namespace == $ns or .metadata.namespace == $root) | ofAuthorizationPolicy($ns))),
  (_apart(.requestAuthentications[] | select(.metadata.namespace == $ns or .metadata.namespace == $root) | select(targets == [])
     | row($ns; "lost"; "RequestAuthentication"; "a ztunnel reads no tokens: it needs a waypoint and targetRefs"))),
  (_apart(.peerAuthentications[] | select(.metadata.namespace == $ns or .metadata.namespace == $root)
     | select(any(.spec.mtls.mode, .spec.portLevelMtls[]?.mode; . == "DISABLE"))
     | row($ns; "changed"; "PeerAuthentication"; "DISABLE is taken for PERMISSIVE: members of the mesh still send in tunnels"))),
  (_apart(.envoyFilters[] | select(.metadata.namespace == $ns or .metadata.namespace == $root) | select(targets == [])
     | row($ns; "lost"; "EnvoyFilter"; "a ztunnel is no Envoy, and a waypoint takes only EnvoyFilters with targetRefs"))),
  (_apart(.wasmPlugins[] | select(.metadata.namespace == $ns or .metadata.namespace == $root) | select(targets == [])
     | row($ns; "lost"; "WasmPlugin"; "a ztunnel runs no plugins: it needs a waypoint and targetRefs"))),
  (_apart(.telemetries[] | select(.metadata.namespace == $ns or .metadata.namespace == $root) | select(targets == [])
     | row($ns; "changed"; "Telemetry"; "a ztunnel reports connections only; requests, traces and their logs need a waypoint and targetRefs"))),
  (_apart(.sidecars[] | select(.metadata.namespace == $ns or .metadata.namespace == $root and .spec.workloadSelector == null)
     | row($ns; "lost"; "Sidecar"; "a ztunnel knows all services of the mesh, and takes no ports or egress settings from it"))),
  (_apart(.proxyConfigs[] | select(.metadata.namespace == $ns) | row($ns; "lost"; "ProxyConfig"; "it configures sidecars"))),
  ($sidecars[] | select(.metadata.namespace == $ns)
     | ([.metadata.annotations // {} | keys[] | select(startswith("traffic.sidecar.istio.io/") or . == "proxy.istio.io/config" or startswith("sidecar.istio.io/") and . != "sidecar.istio.io/status" and . != "sidecar.istio.io/inject")]) as $lost
     | select($lost != [])
     | row($ns; "lost"; "Pod"; "annotations of sidecars have no effect: \($lost | join(", "))")),
  (_apart([.networkPolicies[] | select(.metadata.namespace == $ns) | _networkPolicy] as $policies
     | $policies[] | select(any(.types[]; . == "Ingress") and (_letsHBONE(.ingress) | not) or any(.types[]; . == "Egress") and (_letsHBONE(.egress) | not))
     | {namespace: $ns, effect: "changed", object: "NetworkPolicy", name: .id, reason: "it does not let port 15008 through, which carries all connections of an ambient mesh"}))
