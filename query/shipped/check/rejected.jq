# rejected: configuration that a proxy refused.
# istiod's word, and Envoy's own of each resource that it refused: it has one under every control plane.
# What was in force before stays so, and nothing that Pilot sends of that kind is taken until it is repaired.
#
# input: proxy
# severity: error
# next: fix the object named in the message (usually an EnvoyFilter)
# example: rejected

def text: . // "refused, and it is not known why" | sub("\\s+$"; "");
# What to do where it isn't an object of Istio that is wrong.
def advised:
  if .message | test("(?i)address already in use") then .next = "another listener, or another process of the pod, has the port: is one Service port, or a container, listening there?" else . end;
def refused($kind): select(.state == "REJECTED") | {subject: "\($kind) \(.name // "without a name")", message: (.error | text)};

(_apart(_sync | to_entries[] | select(.value.status == "ERROR") | {subject: (.key | ascii_upcase), message: (.value.error | text)}),
  (select(_isEnvoy)
   | _apart(.listeners[] | refused("listener")),
     _apart(.routes[] | refused("route configuration")),
     _apart(.clusters[] | refused("cluster")),
     _apart(.secrets[] | refused("secret")),
     _apart(.extensions[] | refused("extension"))))
| advised
