# permissive: ports of workloads that take plain text beside mutual TLS.
# Told for information: many a mesh is meant to be so.
#
# severity: info
# next: a PeerAuthentication of mode STRICT, once all callers are in the mesh
# example: permissive

def alike: group_by(.subject)[]
  | .[0] + {proxies: map(.proxy)}
  | .proxy = if .proxies[1:] == [] then .proxy else "\(.proxies | length) proxies" end;

[.proxies[]
| select(.type == "sidecar")
| .id as $proxy
| [_inbound | select(.plain and .port != null) | .port]
| select(length > 0)
| {proxy: $proxy, subject: (map("port \(.)") | join(", ")), message: "takes plain text, too"}]
| alike
