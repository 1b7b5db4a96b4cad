# Differences between istiod and an Envoy, or between any two values.

# diff: compares what a proxy holds with what istiod would send to it now: one Difference for each place that differs, none if the proxy is in sync.
# It compares clusters, listeners, routes, endpoints and extensions as Envoy reads them: defaults, spellings and the order of elements that Envoy looks up by name are ignored; the order of routes and filters is not.
# For each proxy, istiod computes a push.
#   .proxy("reviews-v2") | diff
#   [.proxy("reviews-v2") | diff | {resource, path, pilot, envoy, source}]
#   [.proxies[] | select(isempty(diff)) | .name]
def diff: _diff;

# diff(a; b): one Difference, with the members a and b, for each place where two values differ. Two proxies are compared by their sections, arrays of clusters, listeners and the like by name, and anything else as JSON.
#   diff(.proxy("reviews-v1"); .proxy("reviews-v3")) | .resource
#   [diff(.proxy("reviews-v1").clusters; .proxy("reviews-v2").clusters)] | length
#   [diff({a: 1, b: [2, 3]}; {a: 1, b: [2]})] | length == 1
def diff($a; $b): _diff($a; $b);

# jsonPatch(a; b): the JSON Patch (RFC 6902), an array of operations, that turns a into b. For two proxies, its paths begin with the name of a section.
#   jsonPatch({a: 1, b: [2, 3]}; {a: 1, b: [2]})
#   .proxy("reviews-v2") | jsonPatch(desired; .) | length
def jsonPatch($a; $b): _jsonPatch($a; $b);
