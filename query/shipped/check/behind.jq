# behind: proxies that are far behind in pushes, those that are stale aside.
#
#   --pushes NUMBER=5    how many pushes may be untaken
#
# severity: warning
# next: is the proxy short of CPU, or is Pilot? Look at pilot_proxy_convergence_time
# example: behind --pushes 20

.proxies[]
| . as $proxy
| _sync
| [to_entries[] | select(.value.status != "STALE" and .value.status != "ERROR") | {of: (.key | ascii_upcase), status: .value.status, pushes: .value.pushesBehind}]
| [.[] | select(.status == "SYNCED" and .pushes == null) | .of] as $uncounted
| [.[] | select(.pushes != null and .pushes >= $pushes)]
| (select(length > 0) | {proxy: $proxy.id, message: "\(map(.pushes) | max) pushes behind, of \(map(.of) | join(", "))"}),
  (select($uncounted != []) | $proxy | _unknown("sync"; "istiod does not count the pushes of \($uncounted | join(", "))"))
