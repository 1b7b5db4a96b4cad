# policies: the authorization policies that each ztunnel holds.
#
#   --policy-namespace NAME    only policies of this namespace
#
# aliases: policy, pol, p
# example: policies

.proxies[]
| select(.type == "ztunnel")
| .policies[]
| select($policy_namespace == null or .namespace == $policy_namespace)
