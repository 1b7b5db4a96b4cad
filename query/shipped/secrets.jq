# secrets: the certificates of each proxy, never a key.
# default is the proxy's own certificate, ROOTCA what it trusts.
#
#   --name TEXT    only the secret of this name
#
# aliases: secret, s
# columns: PROXY, NAME, TYPE, STATUS, VALID CERT, SERIAL NUMBER, NOT AFTER, NOT BEFORE, TRUST DOMAIN
# example: secrets reviews-v1
# example: secrets --name default -o wide

.proxies[]
| if $name then .secrets[] | select(.name == $name) else .secrets[] end
