# endpoints: the addresses behind the clusters of each proxy.
# STATUS is what Pilot says of an address, OUTLIER CHECK what Envoy has seen of it.
#
#   --address ADDRESS    only this address, an IP or IP:port
#   --port NUMBER        only addresses of this port
#   --cluster NAME       only those of this cluster
#   --status HEALTHY|UNHEALTHY|DRAINING|TIMEOUT|DEGRADED|UNKNOWN    only those that are so
#
# aliases: endpoint, ep
# output: wide
# columns: PROXY, ENDPOINT, STATUS, OUTLIER CHECK, CLUSTER
# example: endpoints reviews-v1 --cluster "outbound|9080||ratings.default.svc.cluster.local"
# example: endpoints --status UNHEALTHY --fail-on-match
# example: endpoints productpage-v1 --port 9080 -o wide

.proxies[]
| if $cluster then .endpoints[] | select(.cluster == $cluster) else .endpoints[] end
| select($address == null or .address == $address or .ip == $address)
| select($port == null or .port == $port)
| select($status == null or .health == $status)
