# ztunnel-nodes: nodes with pods of the ambient mesh, and without a ztunnel that is connected: their pods get no new configuration, or lose all connections.
#
# severity: error
# next: does the ztunnel DaemonSet have a ready pod on the node, and does that reach istiod?
# example: ztunnel-nodes

def isZTunnel: .metadata.labels // {} | .app == "ztunnel" or .["app.kubernetes.io/name"] == "ztunnel";

select(_isAmbient)
| . as $mesh
| [.pods[] | select(_running and isZTunnel)] as $ztunnels
| [.pods[] | select(_isRedirected and _running) | {node: .spec.nodeName, id: _objectId} | select(.node != null)]
| group_by(.node)[]
| .[0].node as $node
| ($mesh | _serving([$ztunnels[] | select(.spec.nodeName == $node)])) as $here
| {subject: $node}
  + if $here == [] then {message: "it has no ztunnel, and \(length) pods of the mesh: \(.[0].id)\(if length > 1 then ", …" else "" end)"}
    elif all($here[]; .connected == false) then {proxy: $here[0].id, message: "no Pilot knows its ztunnel, and it has \(length) pods of the mesh"}
    elif all($here[]; .unready) then {proxy: $here[0].id, message: "its ztunnel is not ready, and it has \(length) pods of the mesh"}
    elif all($here[]; has("connected") and .connected == null) then _unknown("connected"; "no istiod was read that would say whether the ztunnel of \($node) is connected")
    else empty end
