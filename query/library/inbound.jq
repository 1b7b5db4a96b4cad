# Who gets in at a workload.

# _inbound: the ports that a workload is reached at, by the filter chains in force in its Envoy, {port, plain, mutual} each: whether one lets in
# what brings no certificate of the mesh, plain text above all, and whether one takes mutual TLS. port is null for those that no chain names.
def _inbound:
  [.listeners[]
   | select((.state == "ACTIVE" or .state == "STATIC") and (.trafficDirection == "INBOUND" or .name == "virtualInbound"))
   | (.name == "virtualInbound" or any(.filterChains[]?; .filterChainMatch.destinationPort != null)) as $captures
   | .port as $own
   | (.filterChains[]?, .defaultFilterChain)
   | objects
   | {port: (.filterChainMatch.destinationPort // if $captures then null else $own end), plain: (.transportSocket == null),
      mutual: (.transportSocket.typedConfig.requireClientCertificate == true)}
   | select(.port as $port | all((15000, 15001, 15004, 15006, 15008, 15009, 15020, 15021, 15053, 15090); . != $port))] # not Istio's own
  | group_by(.port)[]
  | {port: .[0].port, plain: any(.[]; .plain), mutual: any(.[]; .mutual)};
