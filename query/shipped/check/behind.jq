# behind: proxies that are far behind in pushes, those that are stale aside.
#
#   --pushes NUMBER=5    how many pushes may be untaken
#
# severity: warning
# next: is the proxy short of CPU, or is Pilot? Look at pilot_proxy_convergence_time
# example: behind --pushes 20

.proxies[]
| .id as $proxy
| [.sync | to_entries[] | select(.value.status != "STALE" and .value.status != "ERROR" and (.value.pushesBehind // 0) >= $pushes)]
| select(length > 0)
| {proxy: $proxy, message: "\(map(.value.pushesBehind) | max) pushes behind, of \(map(.key | ascii_upcase) | join(", "))"}
