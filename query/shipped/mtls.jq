# mtls: connections on which client and server don't agree about mutual TLS.
# For each endpoint of each client's clusters: what the client's Envoy sends (by its transport sockets), and what the filter chains
# of the server's Envoy take on that port. Only endpoints that are proxies of the mesh are judged; name no proxies, so that all are.
#
#   --to HOST    only clusters of services whose host holds this text
#
# output: table
# columns: PROXY, SERVICE, SUBSET, ENDPOINT, SERVER, SENDS, TAKES
# blocks: PROXY, SERVICE, SERVER
# example: mtls
# example: mtls --to reviews -o json

# whether an endpoint's metadata fits the match of a transport socket
def fits($metadata): to_entries | all(.[]; $metadata[.key] == .value);

# the transport socket that Envoy takes for an endpoint: the first that fits, or the cluster's own
def socketFor($metadata): first((.transportSocketMatches[]? | select(.match // {} | fits($metadata)) | .transportSocket), .transportSocket, null);

([.proxies[]
  | select(.type != "ztunnel")
  | .id as $id
  | ([.ip, .ips[]?] | map(values) | unique) as $ips
  | [_inbound] as $ports
  | $ips[] | {key: ., value: {$id, $ports}}]
 | from_entries) as $servers
| .proxies[]
| select(.type != "ztunnel")
| .id as $proxy
| ([.endpoints[] | select(.ip != null and $servers[.ip] != null)] | group_by(.cluster) | map({key: .[0].cluster, value: .}) | from_entries) as $endpoints
| .clusters[]
| select(.direction == "outbound" and ($to == null or (.fqdn | contains($to))) and (.state == "ACTIVE" or .state == "STATIC"))
| . as $cluster
| $endpoints[.edsClusterConfig.serviceName // .name][]?
| . as $endpoint
| $servers[.ip] as $server
| select($server.id != $proxy)
| ([$server.ports[] | select(.port == $endpoint.port)][0] // [$server.ports[] | select(.port == null)][0]) as $takes
| select($takes != null)
| ($cluster | socketFor($endpoint.metadata.filterMetadata["envoy.transport_socket_match"] // {})) as $socket
| ($socket == null or ($socket.name // "" | endswith("raw_buffer"))) as $plain
| select(if $plain then $takes.plain | not else $takes.mutual | not end)
| {
    $proxy, service: "\($cluster.fqdn):\($cluster.port)", subset: $cluster.subset, endpoint: $endpoint.address, server: $server.id,
    sends: (if $plain then "plain text" else "TLS" end), takes: (if $takes.plain then "plain text only" else "mutual TLS only" end), destinationRule: $cluster.destinationRule
  }
