# all: clusters, listeners, routes, secrets, endpoints and extensions of each proxy, a table each.
#
#   --fqdn TEXT                                 only clusters whose name holds this text
#   --port NUMBER                               only clusters, listeners and endpoints of this port
#   --name TEXT                                 only the route configuration of this name
#   --all-states                                warming, draining and rejected ones, too
#
# aliases: a
# output: wide
# columns Cluster: PROXY, SERVICE FQDN, PORT, SUBSET, DIRECTION, TYPE, DESTINATION RULE, STATE
# columns Listener: PROXY, ADDRESSES, PORT, MATCH, DESTINATION, STATE
# columns RouteConfiguration: PROXY, NAME, VHOST, DOMAINS, MATCH, DESTINATION, VIRTUAL SERVICE, STATE
# columns Secret: PROXY, NAME, TYPE, STATUS, VALID CERT, SERIAL NUMBER, NOT AFTER, NOT BEFORE, TRUST DOMAIN
# columns Endpoint: PROXY, ENDPOINT, STATUS, LOCALITY, CLUSTER
# columns ExtensionConfig: PROXY, NAME, TYPE, STATE
# example: all reviews-v1
# example: all reviews-v1 --port 9080 --name 9080

def shown: select($all_states or .state == "ACTIVE" or .state == "STATIC");
def ported: select($port == null or .port == $port);

(.proxies[] | .clusters[] | select($fqdn == null or (.name | contains($fqdn))) | ported | shown),
(.proxies[] | .listeners[] | ported | shown),
(.proxies[] | if $name then .routes[] | select(.name == $name) else .routes[] end | shown),
(.proxies[] | .secrets[]),
(.proxies[] | .endpoints[] | ported),
(.proxies[] | .extensions[] | shown)
