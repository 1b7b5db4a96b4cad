# ambient: workloads, services, policies, certificates and connections of each ztunnel, a table each.
#
#   --node NAME    only what the ztunnel on this node says
#
# output: wide
# example: ambient
# example: ambient -o json

def ofZtunnels: .proxies[] | select(.type == "ztunnel") | select($node == null or .node == $node);

(ofZtunnels | .workloads[]),
(ofZtunnels | .services[]),
(ofZtunnels | .policies[]),
(ofZtunnels | .secrets[]),
(ofZtunnels | .connections[])
