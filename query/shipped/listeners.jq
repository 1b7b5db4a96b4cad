# listeners: where each proxy takes connections, a row a filter chain.
# MATCH is what a connection has to be like, DESTINATION where it goes then. The listener of 15006 takes what comes in.
#
#   --name TEXT                        only the listener of this name
#   --address ADDRESS                  only listeners of this address
#   --port NUMBER                      only listeners of this port
#   --type HTTP|TCP|HTTP+TCP|UNKNOWN   only listeners that speak this
#   --all-states                       warming, draining and rejected ones, too
#   --verbose true|false=true          a row a filter chain; =false: a row a listener, with what it speaks
#
# aliases: listener, l
# output: wide
# columns Listener: PROXY, ADDRESSES, PORT, MATCH, DESTINATION, STATE
# columns ListenerSummary: PROXY, ADDRESSES, PORT, TYPE, STATE
# example: listeners reviews-v1 --port 9080
# example: listeners istio-ingressgateway
# example: listeners --all-states -o wide
# example: listeners reviews-v1 --verbose=false

def speaks: .protocols // [] | sort | join("+") | if . == "" then "UNKNOWN" else . end;

.proxies[]
| .id as $proxy
| if $name then .listeners[] | select(.name == $name) else .listeners[] end
| select($port == null or .port == $port)
| select($address == null or any(.host, (.additionalAddresses[]?.address.socketAddress.address), .address.pipe.path; . == $address))
| select($type == null or $type == speaks)
| select($all_states or .state == "ACTIVE" or .state == "STATIC")
| if $verbose then . else
    {kind: "ListenerSummary", $proxy, addresses: [(.host, (.additionalAddresses[]?.address.socketAddress.address), .address.pipe.path) | values], port, type: speaks, state}
  end
