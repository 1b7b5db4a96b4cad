# certs: when the certificates of the whole mesh expire, the first to expire first.
#
#   --within DURATION    only those that have expired or expire within that: 72h, 7d
#   --roots              what proxies trust, too, not only their own
#
# aliases: certificates, certificate, cert
# output: wide
# columns: PROXY, NAME, TYPE, VALID CERT, NOT AFTER, EXPIRES IN, SERIAL NUMBER, TRUST DOMAIN
# example: certs
# example: certs --within 72h --fail-on-match
# example: certs --roots

[.proxies[].secrets[]
 | select(.notAfter != null)
 | select($roots or (.type != "CA" and .type != "Root"))
 | select($within == null or (.notAfter | within($within) or age > 0))]
| sort_by(.notAfter)[]
