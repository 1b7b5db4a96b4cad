# log: the loggers of each proxy and their levels; of a running ztunnel, the scopes of its log.
# With --level or --reset they are set before they are shown: the only thing here that changes a proxy. The proxies have to be named,
# by words or by -l, and live.
#
#   --logger TEXT                                       only this logger
#   --at trace|debug|info|warning|error|critical|off    only loggers at this level
#   --level LEVELS                                      set levels: debug for all loggers, http:debug,rbac:trace for some
#   --of sidecar|router|waypoint|ztunnel                only those of proxies of this type
#   --reset                                             set the levels that the proxy was started with
#
# aliases: loggers, o
# output: table
# columns: PROXY, LOGGER, LEVEL
# example: log reviews-v1
# example: log --at debug
# example: log --logger rbac -o json

.proxies[]
| select($of == null or .type == $of)
| .id as $proxy
| if $of == "ztunnel" and (has("loggers") | not) then _unknown("loggers"; "only a running ztunnel has its log levels, no snapshot") else .loggers end
| to_entries[]
| select($logger == null or .key == $logger)
| select($at == null or .value == $at)
| {proxy: $proxy, logger: .key, level: .value}
