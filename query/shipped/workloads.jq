# workloads: the workloads that each ztunnel knows.
# The name of a pod or workload means that one alone, as the ztunnel of its node knows it.
#
#   --node NAME    only what the ztunnel on this node says
#   --address ADDRESS            only the workload that has this address
#   --workload-namespace NAME    only workloads of this namespace
#   --workload-node NAME         only workloads on this node
#
# words: ZTUNNEL|POD…
# aliases: workload, w
# example: workloads --workload-namespace bookinfo
# example: workloads --address 10.244.2.59

def isPod($pod): $pod == null or .name == $pod.name and .namespace == $pod.namespace;

_ztunnelsOf($words)
| .pod as $pod
| .ztunnel
| select($node == null or .node == $node)
| .workloads[]
| select(isPod($pod))
| select($address == null or any(.workloadIps[]?; . == $address) or .hostname == $address)
| select($workload_namespace == null or .namespace == $workload_namespace)
| select($workload_node == null or .node == $workload_node)
