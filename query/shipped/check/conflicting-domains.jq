# conflicting-domains: domains that two VirtualServices, or two virtual hosts of a gateway, lay claim to: one of them is left out.
#
# input: mesh and proxy
# merge: proxies
# severity: warning
# next: leave the domain to one VirtualService, or delegate to the other
# example: conflicting-domains

# In the mesh, two VirtualServices of one host that a namespace sees: the older one wins.
def ofVirtualServices:
  [.virtualServices[]
   | select(.spec.delegate == null)
   | .metadata as $about
   | (.spec.gateways // ["mesh"])[] as $gateway
   | select($gateway == "mesh")
   | .spec.hosts[]?
   | select(. != "*")
   | {host: (if contains(".") then . else "\(.).\($about.namespace).svc.cluster.local" end), by: "\($about.name).\($about.namespace)"}]
  | group_by(.host)[]
  | select((map(.by) | unique | length) > 1)
  | {subject: .[0].host, message: "in the mesh it is claimed by \(map(.by) | unique | join(" and ")): only one is in force"};

# In an Envoy, two virtual hosts of one domain: it would refuse the whole.
def ofEnvoy:
  select(_isEnvoy)
  | .routes[]
  | .name as $configuration
  | select(.state == "ACTIVE" or .state == "STATIC")
  | [.virtualHosts[]? | .name as $host | .domains[]? | {domain: ascii_downcase, $host}]
  | group_by(.domain)[]
  | select(length > 1)
  | {subject: "\($configuration) \(.[0].domain)", message: "\(map(.host) | join(" and ")) both have it"};

if has("proxies") then ofVirtualServices else ofEnvoy end
