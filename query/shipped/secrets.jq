# secrets: the certificates of each proxy, never a key.
# default is the proxy's own certificate, ROOTCA what it trusts.
#
#   --name TEXT                               only the secret of this name
#   --of sidecar|router|waypoint|ztunnel      only those of proxies of this type
#   --node NAME                               only those of proxies on this node
#
# aliases: secret, s
# columns: PROXY, NAME, TYPE, STATUS, VALID CERT, SERIAL NUMBER, NOT AFTER, NOT BEFORE, TRUST DOMAIN
# example: secrets reviews-v1
# example: secrets --name default -o wide

.proxies[]
| select($of == null or .type == $of)
| select($node == null or .node == $node)
| if $name then .secrets[] | select(.name == $name) else .secrets[] end
