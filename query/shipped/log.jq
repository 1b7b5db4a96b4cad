# log: the loggers of each proxy and their levels.
#
#   --logger TEXT                                             only this logger
#   --at trace|debug|info|warning|error|critical|off          only loggers at this level
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
