# waypoint-bindings: Services, ServiceEntries, namespaces and pods that are bound to a waypoint that doesn't exist, or that no proxy serves.
# Connections to a service that ztunnels were told to send through such a waypoint fail; where istiod did not bind it, its routes and
# policies at the waypoint have no effect.
#
# severity: error
# next: create the waypoint (istioctl waypoint apply), or correct the label istio.io/use-waypoint
# example: waypoint-bindings

def bound($kind):
  . as $object
  | _useWaypoint
  | select(.name != "none")
  | {$kind, subject: "\($kind) \($object | _objectId)", gateway: "\(.name).\(.namespace)", conditions: ($object.status.conditions // [])};

select(_isAmbient)
| . as $mesh
| (_apart(.services[] | bound("Service")), _apart(.serviceEntries[] | bound("ServiceEntry")), _apart(.namespaces[] | bound("Namespace")), _apart(.pods[] | select(_running) | bound("Pod"))) as $bound
| ([.kubeGateways[] | select(_objectId == $bound.gateway)]) as $gateways
| [.pods[] | select(_running and "\(.metadata | _gatewayName).\(.metadata.namespace)" == $bound.gateway)] as $pods
| ($mesh | _serving($pods)) as $serving
| ($gateways[0].metadata.labels["istio.io/waypoint-for"] // "service") as $for
| [$bound.conditions[] | select(.type == "istio.io/WaypointBound" and .status == "False")] as $unbound
| {subject: $bound.subject}
  + if $gateways == [] then {message: "it is bound to waypoint \($bound.gateway), and there is no Gateway of that name"}
    elif $serving == [] then {message: "it is bound to waypoint \($bound.gateway), which has no pod"}
    elif all($serving[]; .connected == false) then {message: "it is bound to waypoint \($bound.gateway), and no Pilot knows a proxy of it"}
    elif all($serving[]; .unready) then {message: "it is bound to waypoint \($bound.gateway), and no pod of it is ready"}
    elif $unbound != [] then {message: "istiod has not bound it to waypoint \($bound.gateway): \($unbound[0].reason // "it is not known why")"}
    elif ($bound.kind | IN("Service", "ServiceEntry")) and ($for | IN("service", "all") | not) then {severity: "warning", message: "it is bound to waypoint \($bound.gateway), whose label istio.io/waypoint-for is \($for)"}
    elif $bound.kind == "Pod" and ($for | IN("workload", "all") | not) then {severity: "warning", message: "it is bound to waypoint \($bound.gateway), whose label istio.io/waypoint-for is \($for)"}
    elif all($serving[]; has("connected") and .connected == null) then _unknown("connected"; "no istiod was read that would say whether waypoint \($bound.gateway) is connected")
    else empty end
