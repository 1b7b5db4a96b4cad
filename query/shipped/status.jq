# status: how each proxy stands to its Pilot, type by type.
# SYNCED: the last thing sent was taken. STALE: it was not answered yet. ERROR: it was refused. NOT SENT: subscribed, and nothing
# was sent. IGNORED: not subscribed. Behind each word is how long ago the last thing was sent; BEHIND says how many pushes were not
# taken. No Envoy is asked, but for --percent.
#
#   --not-synced    only proxies that are not in sync, or not connected
#   --percent       in EDS the share of the clusters with endpoints from Pilot that have got them: SYNCED (100%)
#
# output: wide
# columns: NAME, CDS, LDS, EDS, RDS, SDS, ECDS, NDS, PCDS, WDS, WADS, BEHIND, CONTEXT, CLUSTER, PILOT, VERSION
# example: status
# example: status -n default -o wide
# example: status --not-synced --fail-on-match
# example: status --percent

# Envoy holds a cluster back, as WARMING, until its endpoints have come. An istiod from before 1.6 says the share itself.
def percent: [.clusters[] | select(.type == "EDS") | .state] | if . == [] then empty else 100 * (map(select(. != "WARMING")) | length) / length | floor end;

.proxies[]
| select(($not_synced and synced) | not)
| if $percent and .type != "ztunnel" and .sync.eds.percent == null then
    . as $proxy | outline | .sync.eds.percent = (try ($proxy | percent) catch null)
  else outline end
