# disconnected: proxies that no Pilot knows: they get no configuration any more.
#
# severity: error
# next: does the pod reach istiod, and is it of this revision? kubectl logs -c istio-proxy says
# example: disconnected

.proxies[]
| select(.connected == false)
| {proxy: .id, message: "no Pilot is connected to it"}
