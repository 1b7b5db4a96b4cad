# shadowed-routes: routes that no request can reach, since one before them takes all that they would.
# Of two routes the first that matches is taken. A route is said to be in the way only where that is certain: it asks for no more
# than the other does, or for the very same.
#
# input: proxy
# merge: proxies
# severity: warning
# next: put the narrower match of the VirtualService first, or take the route out
# example: shadowed-routes

select(_isEnvoy)
| .routes[]
| select(.state == "ACTIVE" or .state == "STATIC")
| .name as $configuration
| .virtualHosts[]?
| .name as $host
| .routes as $routes
| ($routes | _shadows) as [$i, $by]
| {subject: "\($configuration) \($host) \($i + 1)",
   message: "route \($i + 1) is never reached: route \($by + 1) takes all that it would"
     + ([$routes[$by].virtualService, $routes[$i].virtualService] | if .[1] then " (\(.[1])" + (if .[0] != .[1] then ", behind \(.[0])" else "" end) + ")" else "" end)}
