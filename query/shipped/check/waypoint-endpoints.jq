# waypoint-endpoints: waypoints that a ztunnel has to use and of which it knows no endpoint: it refuses those connections.
#
# input: proxy
# merge: proxies
# severity: error
# next: does the waypoint have a ready pod? istioctl waypoint status shows its state
# example: waypoint-endpoints

def waypoints: .waypoint.destination, .weightedWaypoints[]?.destination.destination;

select(.type == "ztunnel")
| ([.services[] | (.endpoints | length) as $endpoints | ("\(.namespace)/\(.hostname)", .vips[]?) | {(.): $endpoints}] | add // {}) as $known
| [(.services[], .workloads[]) | {by: "\(.name).\(.namespace)", to: waypoints} | select(.to != null)]
| group_by(.to)[]
| .[0].to as $to
| ([.[].by] | unique) as $by
| select(($known[$to] // 0) == 0)
| {subject: $to, message: "\(if $known | has($to) then "it has no endpoint" else "the ztunnel does not know it" end), and connections to \($by | join(", ")) have to go through it"}
