# http-without-waypoint: policies that need to read HTTP, for workloads of the ambient mesh, where no waypoint enforces them. A ztunnel sees connections only.
# istiod leaves the HTTP parts of an AuthorizationPolicy out when it makes a ztunnel's policy of it (Istio 1.31, ambient/authorization.go): a rule
# of an ALLOW policy is dropped, and one of a DENY policy denies more, or nothing. A RequestAuthentication has no effect at all.
#
# severity: warning
# next: attach the policy to a waypoint with targetRefs, and bind the service to the waypoint
# example: http-without-waypoint

def fits($labels): . == null or . == {} or all(to_entries[]; $labels[.key] == .value);
def targets: .spec.targetRefs // [.spec.targetRef | values];

select(_isAmbient)
| ([.pilots[] | .namespace | values] + ["istio-system"])[0] as $root
| [.pods[] | select(_isRedirected and _running) | {id: _objectId, namespace: .metadata.namespace, labels: (.metadata.labels // {})}] as $pods
| def selected: .metadata.namespace as $in | (.spec.selector.matchLabels // {}) as $selector
    | [$pods[] | select(.namespace == $in or $in == $root) | select(.labels as $labels | $selector | fits($labels))];
  (_apart(
     .authorizationPolicies[]
     | select(targets == [])
     | . as $policy
     | selected
     | select(. != [])
     | "\(length) workloads of the ambient mesh, as \(.[0].id)" as $where
     | $policy
     | {subject: "AuthorizationPolicy \(_objectId)"}
       + if .spec.action | IN("CUSTOM", "AUDIT") then {message: "a ztunnel has no action \(.spec.action), so the policy has no effect on \($where)"}
         else [_httpRules] as $rules
           | select($rules != [])
           | ($rules | map(select(.left == "dropped") | .rule)) as $dropped
           | ($rules | map(select(.left == "empty") | .rule)) as $empty
           | ($rules | map(select(.left == "broader") | .rule)) as $broader
           | {message: ([if $dropped != [] then "rule \($dropped | join(", ")) is dropped, so the policy allows less" else empty end,
                         if $empty != [] then "rule \($empty | join(", ")) denies nothing" else empty end,
                         if $broader != [] then "rule \($broader | join(", ")) denies more than it says" else empty end] | join("; "))
                       + ", for \($where): a ztunnel can't read \([$rules[].http[]] | unique | join(", "))"}
         end),
   _apart(
     .requestAuthentications[]
     | select(targets == [])
     | . as $policy
     | selected
     | select(. != [])
     | {subject: "RequestAuthentication \($policy | _objectId)", message: "a ztunnel reads no tokens, so it has no effect on \(length) workloads of the ambient mesh, as \(.[0].id)"}),
   _apart(
     . as $mesh
     | (.authorizationPolicies[], .requestAuthentications[])
     | . as $policy
     | .metadata.namespace as $in
     | targets[]
     | select(.kind == "Service")
     | (if has("namespace") then .namespace else $in end) as $of # .namespace alone would be noted as unknown of a Service
     | .name as $name
     | [$mesh.services[] | select(.metadata.name == $name and .metadata.namespace == $of)] as $services
     | [($services[] | _useWaypoint), ($mesh.namespaces[] | select(.metadata.name == $of) | _useWaypoint), {name: "none"}][0] as $waypoint
     | select($waypoint.name == "none")
     | {subject: "\($policy.kind // "AuthorizationPolicy") \($policy | _objectId)", severity: "error",
        message: if $services == [] then "it is for Service \($name).\($of), which doesn't exist" else "it is for Service \($name).\($of), which is bound to no waypoint, so nothing enforces it" end}))
