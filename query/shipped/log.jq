# log: the loggers of each proxy and their levels.
# With --level or --reset they are set before they are shown: the only thing here that changes a proxy. The proxies have to be named,
# by words or by -l, and live.
#
#   --logger TEXT                                       only this logger
#   --at trace|debug|info|warning|error|critical|off    only loggers at this level
#   --level LEVELS                                      set levels: debug for all loggers, http:debug,rbac:trace for some
#   --reset                                             set the levels that the proxy was started with
#
# aliases: loggers, o
# output: table
# columns: PROXY, LOGGER, LEVEL
# example: log reviews-v1
# example: log --at debug
# example: log --logger rbac -o json

.proxies[]
| .id as $proxy
| .loggers
| to_entries[]
| select($logger == null or .key == $logger)
| select($at == null or .value == $at)
| {proxy: $proxy, logger: .key, level: .value}
