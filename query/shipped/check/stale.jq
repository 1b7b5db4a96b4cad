# stale: proxies that did not answer their Pilot for too long.
#
#   --longer-than DURATION=5s    how long an answer may take
#
# severity: error
# next: is the proxy alive and its stream open? Look at .sync of the proxy, its log, and istiod's
# example: stale --longer-than 5m

.proxies[]
| . as $proxy
| _sync
| [to_entries[] | select(.value.status == "STALE") | {of: (.key | ascii_upcase), age: .value.age}]
| [.[] | select(.age == null) | .of] as $undated
| [.[] | select(.age != null and .age > ($longer_than | _duration)) | .of]
| (select(length > 0) | {proxy: $proxy.id, message: "\(join(", ")) sent and not acknowledged"}),
  (select($undated != []) | $proxy | _unknown("sync"; "\($undated | join(", ")) sent and not acknowledged, and when it was sent is not known"))
