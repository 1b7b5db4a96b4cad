# services: the services that each ztunnel knows.
# The mesh's own are Kubernetes objects: '.services[]'.
#
#   --service-namespace NAME    only services of this namespace
#
# aliases: service, svc
# example: services --service-namespace bookinfo

.proxies[]
| select(.type == "ztunnel")
| .services[]
| select($service_namespace == null or .namespace == $service_namespace)
