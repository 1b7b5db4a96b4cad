# shadowed-routes: routes that no request can reach, since one before them takes all that they would.
# Of two routes the first that matches is taken. A match is compared by its path where it asks for nothing else.
#
# severity: warning
# next: put the narrower match of the VirtualService first, or take the route out
# example: shadowed-routes

def alike: group_by([.subject, .message])[]
  | .[0] + {proxies: map(.proxy)}
  | .proxy = if .proxies[1:] == [] then .proxy else "\(.proxies | length) proxies" end;

# what a match asks for beside the path
def plain: del(.prefix, .path, .pathSeparatedPrefix, .safeRegex, .caseSensitive, ."@type") | del(.[] | select(. == [] or . == null)) == {};
def sensitive: .caseSensitive != false;

# whether everything that a match takes is taken by an earlier one, which asks for its path alone
def within($before):
  . as $match
  | $before
  | if .prefix != null and sensitive then
      .prefix as $prefix
      | ($match | sensitive) and ($match.prefix // $match.path // (if $match.pathSeparatedPrefix then $match.pathSeparatedPrefix else null end) // null | . != null and startswith($prefix))
        or $prefix == "/"
    elif .path != null then .path == $match.path and (($match | sensitive) or (sensitive | not))
    elif .safeRegex.regex != null then .safeRegex.regex == $match.safeRegex.regex
    else false end;

[.proxies[]
| select(.type != "ztunnel")
| .id as $proxy
| .routes[]
| select(.state == "ACTIVE" or .state == "STATIC")
| .name as $configuration
| .virtualHosts[]?
| .name as $host
| [.routes[]?] as $routes
| range(1; $routes | length) as $i
| $routes[$i].match as $match
| first(range($i) | select($routes[.].match as $before | $before.connectMatcher == null and ($before | plain) and ($match | within($before)))) as $by
| {proxy: $proxy, subject: "\($configuration) \($host) \($i + 1)",
   message: "route \($i + 1) is never reached: route \($by + 1) takes all that it would"
     + ([$routes[$by].virtualService, $routes[$i].virtualService] | if .[1] then " (\(.[1])" + (if .[0] != .[1] then ", behind \(.[0])" else "" end) + ")" else "" end)}]
| alike
