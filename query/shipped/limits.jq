# limits: circuit breakers and outlier detection of each cluster.
# What has no limit of its own is left out: Istio's default is none. UO in an access log means that one of these was reached.
#
#   --to HOST    only clusters of services whose host holds this text
#   --all        also clusters without limits
#
# output: table
# columns: PROXY, SERVICE, SUBSET, CONNECTIONS, PENDING, REQUESTS, RETRIES, EJECTS, DESTINATION RULE
# example: limits reviews-v1
# example: limits --to reviews -o json

# Istio writes the largest number where there is no limit.
def limit: if . == null or . == 4294967295 then null else . end;

.proxies[]
| select(.type != "ztunnel")
| .id as $proxy
| .clusters[]
| select(.direction == "outbound" and ($to == null or (.fqdn | contains($to))))
| (.circuitBreakers.thresholds[0] // {}) as $t
| {
    $proxy, service: "\(.fqdn):\(.port)", subset, connections: ($t.maxConnections | limit), pending: ($t.maxPendingRequests | limit), requests: ($t.maxRequests | limit), retries: ($t.maxRetries | limit),
    ejects: (.outlierDetection | if . == null then null
      else "after \(.consecutive5xx // .consecutiveGatewayFailure // 5) errors, for \(.baseEjectionTime // "30s"), at most \(.maxEjectionPercent // 10)%" end),
    destinationRule
  }
| select($all or .connections != null or .pending != null or .requests != null or .retries != null or .ejects != null)
