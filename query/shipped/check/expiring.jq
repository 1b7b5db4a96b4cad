# expiring: certificates that have expired, or have a fifth of their life left.
# A proxy renews its own when half of its life is over: one that is near its end was not renewed.
#
#   --life-left NUMBER=0.2    which part of its life has to be left
#
# input: proxy
# severity: warning
# next: can the proxy reach istiod (or who else signs)? A restart of the pod renews its certificate
# example: expiring --life-left 0.5

select(.type != "agentgateway")
| . as $proxy
| .secrets[]
| select(.type != null and .state == "ACTIVE" or .notAfter != null)
| _apart(
    if .notAfter == null or .notBefore == null then .name as $name | $proxy | _unknown("secrets"; "when \($name) expires is not in what was read") else . end
    | (.notAfter | age | -.) as $left
    | ((.notBefore | age) + $left) as $life
    | select($left < $life * $life_left)
    | {subject: "\(.name) \(.serialNumber)"}
      + if $left <= 0 then {severity: "error", message: "\(.type) expired at \(.notAfter)"}
        else {message: "\(.type) expires at \(.notAfter), \($left / $life * 100 | floor)% of its life left"} end)
