# The state of a proxy towards its Pilot.

# synced: true when the proxy is connected and has acknowledged all that was sent to it (each type SYNCED, NOT SENT or IGNORED).
#   [.proxies[] | select(synced | not) | .name]
def synced: _words as $words | .connected == true and all($words[]; . == "SYNCED" or . == "NOT SENT" or . == "IGNORED");

# stale: true when some type was sent and is not acknowledged.
#   [.proxies[] | select(stale) | .name]
def stale: _words | any(.[]; . == "STALE");

# _sync: what each type's word says. It is a fault where no Pilot that could be read says anything of the proxy; of one that no
# Pilot knows, nothing was sent.
def _sync: if .connected != false and all(.sync[]; .status == "UNKNOWN") then _unknown("sync"; "no istiod was read that would say what it sent and what was taken") else .sync end;

# outline: the proxy without its sections: what is known without asking it. Printing it loads nothing.
#   .proxies[0] | outline | keys | length
def outline: if type == "array" then map(outline) else _outline end;

# desired: what Pilot would send to the proxy now: clusters, listeners, routes, endpoints, secrets and extensions in the same form as the proxy's own.
# It makes istiod compute a push, so nothing reaches it by accident: only this call does.
#   .proxy("reviews-v1") | desired.clusters | length
def desired: _desired;
