# sizes: how much configuration each proxy has, the largest first.
# KB is the size of its clusters, listeners, routes and endpoints as JSON. A Sidecar object limits what a proxy gets.
#
# output: table
# columns: PROXY, CLUSTERS, LISTENERS, ROUTES, ENDPOINTS, KB
# example: sizes
# example: sizes reviews-v1 -o json

[.proxies[]
 | select(.type != "ztunnel")
 | {
     proxy: .id, clusters: (.clusters | length), listeners: (.listeners | length), routes: ([.routes[].virtualHosts[]?.routes[]?] | length), endpoints: (.endpoints | length),
     kb: (([.clusters, .listeners, .routes, .endpoints] | map(tojson | length) | add) / 1000 | round)
   }]
| sort_by(-.kb)[]
