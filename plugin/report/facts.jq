. as $mesh
| {mesh: {takenAt, contexts, pilots: [_judged([.pilots[] | {name, namespace, version, revision, proxies: .connectedProxies}]; [])][0]}},
  (.proxies[] | {proxy: (
     outline
     | {id, name, namespace, type, workload, version, revision, pilot, node, ip, clusterID, connected, cds, lds, eds, rds, sds, ecds,
        errors: ([.sync[]?.error | values] | unique), behind: ([.sync | objects | to_entries[] | select((.value.pushesBehind // 0) > 0) | "\(.key | ascii_upcase):\(.value.pushesBehind)"] | join(" "))})}),
  (.proxies[] | {certificates: {proxy: .id, of: [_judged([.secrets[] | {name, type, state, valid, notAfter, serialNumber}]; null)][0]}}),
  (_findings | {finding: {check, severity, proxy, proxies, subject, message, next}}),
  (_graph | {graph: .})
