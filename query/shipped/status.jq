# status: how each proxy stands to its Pilot, type by type.
# SYNCED: the last thing sent was taken. STALE: it was not answered yet. ERROR: it was refused. NOT SENT: subscribed, and nothing
# was sent. IGNORED: not subscribed. Behind each word is how long ago the last thing was sent; BEHIND says how many pushes were not
# taken. No Envoy is asked.
#
#   --not-synced    only proxies that are not in sync, or not connected
#
# output: wide
# columns: NAME, CDS, LDS, EDS, RDS, SDS, ECDS, NDS, PCDS, WDS, WADS, BEHIND, CONTEXT, CLUSTER, PILOT, VERSION
# example: status
# example: status -n default -o wide
# example: status --not-synced --fail-on-match

.proxies[]
| select(($not_synced and synced) | not)
| outline
