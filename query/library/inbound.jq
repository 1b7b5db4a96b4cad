# The ports at which a workload is reached.

# _inbound: the ports at which a workload is reached, according to the filter chains in use. Each result is an object {port, plain, mutual}:
# plain is true if a chain accepts plain text, mutual if a chain requires mutual TLS. port is null for all ports that no chain names.
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
