# connections: the connections open in each ztunnel.
# LOCAL is the end of the workload. Addresses that the ztunnel knows are said by name: a service's hostname, or pod.namespace.
#
#   --node NAME    only what the ztunnel on this node says
#   --direction inbound|outbound    only those
#   --workload-namespace NAME       only those of workloads of this namespace
#   --raw                           addresses as they are
#
# words: ZTUNNEL|POD…
# aliases: connection, cons
# example: connections --direction outbound
# example: connections --workload-namespace bookinfo --raw

def named($names): if . == null then . else
    (rindex(":") // length) as $at
    | .[:$at] as $host
    | ($names[$host] // $host) + .[$at:]
  end;

_ztunnelsOf($words)
| .pod as $pod
| .ztunnel
| select($node == null or .node == $node)
| .id as $proxy
| (if $raw then {} else
     ([.services[] | .hostname as $name | .vips[0]? | values | {(sub("^[^/]*/"; "")): $name}] | add // {})
     + ([.workloads[] | "\(.name).\(.namespace)" as $name | .workloadIps[0]? | values | {(.): $name}] | add // {})
   end) as $names
| .connections[]
| select($pod == null or .workload == "\($pod.name).\($pod.namespace)")
| select($direction == null or .direction == $direction)
| select($workload_namespace == null or (.workload // "" | endswith(".\($workload_namespace)")))
| if $raw then . else . + {$proxy, src: (.src | named($names)), originalDst: (.originalDst | named($names)), actualDst: (.actualDst | named($names))} end
