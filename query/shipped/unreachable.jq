# unreachable: routes that no request takes, or that end at nothing.
# Why: SHADOWED by a route ahead of it that takes all that it would, DUPLICATE_DOMAIN that another virtual host has already, NO_CLUSTER, NO_ENDPOINTS, ALL_UNHEALTHY or SUBSET_EMPTY.
#
#   --reason WORD    only those with this reason
#
# example: unreachable
# example: unreachable productpage-v1 --reason NO_CLUSTER

.proxies[] | select(_isEnvoy) | unreachable | select($reason == null or .reason == ($reason | ascii_upcase))
