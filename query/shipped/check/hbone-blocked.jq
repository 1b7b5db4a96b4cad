# hbone-blocked: pods of the ambient mesh whose NetworkPolicies don't let HBONE through, port 15008: other members of the mesh can't reach them, or they can't reach others.
# A NetworkPolicy sees the tunnel, not the port inside it.
#
# severity: error
# next: allow TCP port 15008 in the NetworkPolicy
# example: hbone-blocked

def expression($labels):
  .key as $key
  | if .operator == "In" then .values as $values | $labels[$key] | IN($values[])
    elif .operator == "NotIn" then .values as $values | $labels[$key] | IN($values[]) | not
    elif .operator == "Exists" then $labels | has($key)
    elif .operator == "DoesNotExist" then $labels | has($key) | not
    else false end;
def selects($labels): all(.matchLabels // {} | to_entries[]; $labels[.key] == .value) and all(.matchExpressions[]?; expression($labels));

select(_isAmbient)
| [.networkPolicies[] | _networkPolicy] as $policies
| [.pods[]
   | select(_isRedirected and _running)
   | _objectId as $id
   | .metadata.namespace as $in
   | (.metadata.labels // {}) as $labels
   | [$policies[] | select(.in == $in) | select(.selector | selects($labels))] as $mine
   | (["Ingress", "ingress"], ["Egress", "egress"]) as [$type, $field]
   | [$mine[] | select(any(.types[]; . == $type))]
   | select(. != [] and (any(.[]; _letsHBONE(.[$field])) | not))
   | {by: ([.[].id] | sort | join(", ")), $type, $id}]
| group_by([.by, .type])[]
| {subject: "NetworkPolicy \(.[0].by)",
   message: "\(if .[0].type == "Ingress" then "no connection of the mesh gets to" else "no connection of the mesh gets out of" end) \(length) of its pods, as \(.[0].id): \(.[0].type) doesn't allow port 15008"}
