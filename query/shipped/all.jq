# all: clusters, listeners, routes, secrets, endpoints and extensions of each proxy, a table each.
#
#   --fqdn TEXT                                 only clusters whose name holds this text
#   --direction inbound|outbound|inbound-vip    only clusters of this direction
#   --subset TEXT                               only clusters of this subset
#   --address ADDRESS                           only listeners and endpoints of this address
#   --port NUMBER                               only clusters, listeners and endpoints of this port
#   --type HTTP|TCP|HTTP+TCP|UNKNOWN            only listeners that speak this
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
def speaks: .protocols // [] | sort | join("+") | if . == "" then "UNKNOWN" else . end;
def ofEnvoys: .proxies[] | select(_isEnvoy);

(ofEnvoys | .clusters[] | select($fqdn == null or (.name | contains($fqdn))) | ported | shown
 | select($direction == null or .direction == $direction) | select($subset == null or .subset == $subset)),
(ofEnvoys | .listeners[] | ported | shown
 | select($address == null or any(.host, (.additionalAddresses[]?.address.socketAddress.address), .address.pipe.path; . == $address))
 | select($type == null or $type == speaks)),
(ofEnvoys | if $name then .routes[] | select(.name == $name) else .routes[] end | shown),
(ofEnvoys | .secrets[]),
(ofEnvoys | .endpoints[] | ported | select($address == null or .address == $address or .ip == $address)),
(ofEnvoys | .extensions[] | shown)
