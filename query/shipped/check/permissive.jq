# permissive: ports of workloads that take plain text beside mutual TLS.
# Told for information: many a mesh is meant to be so.
#
# input: proxy
# merge: proxies
# severity: info
# next: a PeerAuthentication of mode STRICT, once all callers are in the mesh
# example: permissive

select(.type == "sidecar")
| [_inbound | select(.plain and .port != null) | .port]
| select(length > 0)
| {subject: (map("port \(.)") | join(", ")), message: "takes plain text, too"}
