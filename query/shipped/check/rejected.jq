# rejected: configuration that a proxy refused.
# What was in force before stays so, and nothing that Pilot sends of that kind is taken until it is repaired.
#
# severity: error
# next: mend the object that the message speaks of (an EnvoyFilter, as a rule)
# example: rejected

.proxies[]
| .id as $proxy
| .sync
| to_entries[]
| select(.value.status == "ERROR")
| {proxy: $proxy, subject: (.key | ascii_upcase), message: ((.value.error // "refused, and it is not known why") | sub("\\s+$"; ""))}
