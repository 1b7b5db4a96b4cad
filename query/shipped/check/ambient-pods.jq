# ambient-pods: pods that are meant to be in the ambient mesh and are not.
# They are in a namespace with the label istio.io/dataplane-mode and not redirected, or the ztunnel of their node does not know them.
# A pod with redirection and a sidecar is wrong, too: its connections pass both.
#
# severity: error
# next: restart the pod; istio-cni's log on its node says why it was not redirected
# example: ambient-pods

def mode: .metadata.labels["istio.io/dataplane-mode"];
def hasSidecar: any(.spec.containers[]?, (.spec.initContainers[]? | select(.restartPolicy == "Always")); .name == "istio-proxy");

select(_isAmbient)
| [.proxies[] | select(.type == "ztunnel")] as $ztunnels
| ([.namespaces[] | select(mode == "ambient") | {(.metadata.name): true}] | add // {}) as $ambient
| .pods[]
| select(_running and .spec.hostNetwork != true and .status.podIP != null)
| select(_isRedirected or (mode // (if $ambient[.metadata.namespace] then "ambient" else "none" end)) == "ambient")
| . as $pod
| {subject: _objectId}
  + if _isRedirected and hasSidecar then {message: "its connections are redirected to the ztunnel, and it has a sidecar"}
    elif hasSidecar then {severity: "info", message: "it is in an ambient namespace, and has a sidecar: the sidecar is used"}
    elif _isRedirected | not then {severity: "warning", message: "it is in an ambient namespace, and its connections are not redirected to a ztunnel"}
    else
      [$ztunnels[] | select(.node == $pod.spec.nodeName)][0] as $here
      | select($here != null)
      | $here
      | [.workloads[] | select(any(.workloadIps[]?; . == $pod.status.podIP))] as $known
      | {proxy: $here.id}
        + if $known == [] then {message: "the ztunnel of its node does not know it, and so refuses its connections"}
          elif all($known[]; .protocol != "HBONE") then {message: "the ztunnel of its node knows it with protocol \($known[0].protocol), so others send to it without a tunnel"}
          else empty end
    end
