# extensions: the extensions that Pilot sends on their own (ECDS), as WebAssembly ones.
#
#   --name TEXT     only the extension of this name
#   --all-states    those that are not in use, too
#
# aliases: extension, ecds, ec
# columns: PROXY, NAME, TYPE, STATE
# example: extensions reviews-v1

.proxies[]
| if $name then .extensions[] | select(.name == $name) else .extensions[] end
| select($all_states or .state == "ACTIVE" or .state == "STATIC")
