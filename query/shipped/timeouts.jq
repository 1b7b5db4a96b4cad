# timeouts: how each route shares its requests: weights, timeouts and retries.
# TIMEOUT and RETRIES are those that Envoy has; "none" is no timeout. Istio's default is no timeout, and two retries.
#
#   --to HOST    only routes to services whose host holds this text
#
# output: table
# columns: PROXY, SERVICE, SUBSET, WEIGHT, MATCH, TIMEOUT, RETRIES, VIRTUAL SERVICE
# example: timeouts productpage-v1 --to reviews
# example: timeouts --to ratings -o json

def path: if .prefix then .prefix + "*" elif .path then .path elif .safeRegex then "~" + .safeRegex.regex elif .pathSeparatedPrefix then .pathSeparatedPrefix + "/*" else "any" end;
def conditions: [.headers[]?.name, .queryParameters[]?.name] | if . == [] then "" else " if " + join(", ") end;

.proxies[]
| select(.type != "ztunnel")
| .id as $proxy
| .routes[]
| select(.state == "ACTIVE" or .state == "STATIC")
| .virtualHosts[]?.routes[]?
| . as $route
| ([.destinations[]?.weight // 1] | add) as $total
| .destinations[]?
| (.cluster | strings | split("|")) as $name
| select($name[0] == "outbound" and ($to == null or ($name[3] | contains($to))))
| {
    $proxy, service: "\($name[3]):\($name[1])", subset: (if $name[2] == "" then null else $name[2] end), weight: (if $total == 0 then "0%" else "\(100 * (.weight // 1) / $total | round)%" end),
    match: ($route.match | path + conditions),
    timeout: ($route.route.timeout | if . == null then "15s" elif . == "0s" then "none" else . end),
    retries: ($route.route.retryPolicy // $route.route.retries | if . == null then "none" else "\(.numRetries // 1) on \(.retryOn // "nothing")" end),
    virtualService: $route.virtualService
  }
