# versions: the versions of Istio and Envoy that each proxy runs, and that of its Pilot.
#
# output: table
# columns: PROXY, ISTIO, PROXY SHA, ENVOY, PILOT, PILOT VERSION
# example: versions
# example: versions -n default

def envoy:
  [.majorNumber // 0, .minorNumber // 0, .patch // 0 | tostring] | join(".");

(.pilots | map({(.name): .version}) | add // {}) as $pilots
| .proxies[]
| select(_isEnvoy)
| {proxy: .id,
   istio: .version,
   pilot,
   pilotVersion: (.pilot as $name | if $name then $pilots[$name] else null end)}
  + (.bootstrap.node
     | {proxySha: ((.metadata.ISTIO_PROXY_SHA // "") | split(":")[1]),
        envoy: (.userAgentBuildVersion | [(.version | envoy), .metadata["build.label"], .metadata["revision.status"], .metadata["build.type"], .metadata["ssl.version"]] | map(values) | join("/"))})
