# rootca: which root certificates the proxies trust, and how many of them do.
# Two proxies that trust no root in common can't speak mutual TLS.
#
#   --differ    only where not all proxies trust the same
#
# aliases: rootca-compare, rc
# output: table
# columns: SERIAL NUMBER, ISSUER, TRUST DOMAIN, NOT AFTER, PROXIES, OF
# example: rootca
# example: rootca reviews-v1 ratings-v1 --differ --fail-on-match

[.proxies[] | .id as $proxy | .secrets[] | select(.type == "CA" or .type == "Root") | {serialNumber, issuer, trustDomain, notAfter, $proxy}]
| (map(.proxy) | unique | length) as $of
| group_by(.serialNumber)
| map(.[0] + {proxies: (map(.proxy) | unique | length), of: $of, trustedBy: (map(.proxy) | unique)} | del(.proxy))
| select(($differ | not) or any(.[]; .proxies < $of))[]
