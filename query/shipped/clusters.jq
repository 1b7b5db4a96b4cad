# clusters: where each proxy sends requests to.
# A cluster's name says what it is: direction|port|subset|service.
#
#   --fqdn TEXT                                 only clusters whose name holds this text
#   --port NUMBER                               only clusters of this port
#   --subset TEXT                               only clusters of this subset
#   --direction inbound|outbound|inbound-vip    only clusters of this direction
#   --all-states                                warming and removed ones, too
#
# aliases: cluster, c
# columns: PROXY, SERVICE FQDN, PORT, SUBSET, DIRECTION, TYPE, DESTINATION RULE, STATE
# example: clusters reviews-v1
# example: clusters reviews-v1 --fqdn ratings --port 9080
# example: clusters -n default --subset v3 -o wide

# What is asked of Envoy: clusters whose name holds one of the texts; the rest is looked at here.
([$fqdn, $subset, ($port | values | tostring), $direction] | map(values) | first) as $part
| .proxies[]
| if $part then .clusters[] | select(.name | contains($part)) else .clusters[] end
| select($fqdn == null or (.name | contains($fqdn)))
| select($port == null or .port == $port)
| select($subset == null or .subset == $subset)
| select($direction == null or .direction == $direction)
| select($all_states or .state == "ACTIVE" or .state == "STATIC")
