# stats: the counters and gauges of each proxy.
#
#   --filter REGEX    only those whose name fits: cluster.*upstream_rq_5xx
#   --nonzero         only those that are not 0
#
# aliases: stat
# output: table
# columns: PROXY, NAME, VALUE
# example: stats reviews-v1 --filter update_rejected
# example: stats --filter "upstream_cx_connect_fail$" --nonzero

.proxies[]
| .id as $proxy
| .stats.stats[]
| select(has("name"))
| select($filter == null or (.name | test($filter)))
| select(($nonzero | not) or (.value != 0 and .value != ""))
| {proxy: $proxy, name, value}
