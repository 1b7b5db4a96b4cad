# services: the services that each ztunnel knows.
# The mesh's own are Kubernetes objects: '.services[]'.
#
#   --node NAME    only what the ztunnel on this node says
#   --service-namespace NAME    only services of this namespace
#
# aliases: service, svc
# example: services --service-namespace bookinfo

.proxies[]
| select(.type == "ztunnel")
| select($node == null or .node == $node)
| .services[]
| select($service_namespace == null or .namespace == $service_namespace)
