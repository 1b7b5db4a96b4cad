# policies: the authorization policies that each ztunnel holds.
#
#   --node NAME    only what the ztunnel on this node says
#   --policy-namespace NAME    only policies of this namespace
#
# aliases: policy, pol, p
# example: policies

.proxies[]
| select(.type == "ztunnel")
| select($node == null or .node == $node)
| .policies[]
| select($policy_namespace == null or .namespace == $policy_namespace)
