# Whether a proxy has the configuration that istiod sent.

# synced: true if the proxy is connected and has acknowledged everything that was sent to it (each type SYNCED, NOT SENT or IGNORED).
#   [.proxies[] | select(synced | not) | .name]
def synced: _words as $words | .connected == true and all($words[]; . == "SYNCED" or . == "NOT SENT" or . == "IGNORED");

# stale: true if a type was sent and is not acknowledged.
#   [.proxies[] | select(stale) | .name]
def stale: _words | any(.[]; . == "STALE");

# _sync: the sync state of each type. It raises a fault if the proxy may be connected and no istiod that could be read knows its state.
# No istiod has sent anything to a proxy that isn't connected.
def _sync: if .connected != false and all(.sync[]; .status == "UNKNOWN") then _unknown("sync"; "no istiod was read that would say what it sent and what was taken") else .sync end;

# outline: the proxy without its sections: what is known without a request to it. Printing it loads nothing.
#   .proxies[0] | outline | keys | length
def outline: if type == "array" then map(outline) else _outline end;

# desired: what istiod would send to the proxy now: clusters, listeners, routes, endpoints, secrets and extensions in the same form as the proxy's own.
# istiod computes a push for it, so only an explicit call of desired reads it.
#   .proxy("reviews-v1") | desired.clusters | length
def desired: _desired;
