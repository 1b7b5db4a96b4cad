# stale: proxies that did not answer their Pilot for too long.
#
#   --longer-than DURATION=5s    how long an answer may take
#
# severity: error
# next: is the proxy alive and its stream open? Look at .sync of the proxy, its log, and istiod's
# example: stale --longer-than 5m

.proxies[]
| . as $proxy
| [.sync | to_entries[] | select(.value.status == "STALE" and (.value.age // 0) > ($longer_than | _duration)) | .key | ascii_upcase]
| select(length > 0)
| {proxy: $proxy.id, message: "\(join(", ")) sent and not acknowledged"}
