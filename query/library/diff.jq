# What differs: between a Pilot and an Envoy, or between any two values.

# diff: what a proxy holds against what its Pilot would send to it now: one Difference for each place that differs, none where it is in sync.
# Clusters, listeners, routes, endpoints and extensions, as Envoy reads them: defaults, spellings and the order of what is looked up by name are no difference, the order of routes and filters is one.
# It makes istiod compute a push for each proxy it is asked of.
#   .proxy("reviews-v2") | diff
#   [.proxy("reviews-v2") | diff | {resource, path, pilot, envoy, source}]
#   [.proxies[] | select(isempty(diff)) | .name]
def diff: _diff;

# diff(a; b): one Difference, with a and b in it, for each place at which two values differ: two proxies by what they hold, arrays of clusters, listeners and the like by name, anything else as JSON.
#   diff(.proxy("reviews-v1"); .proxy("reviews-v3")) | .resource
#   [diff(.proxy("reviews-v1").clusters; .proxy("reviews-v2").clusters)] | length
#   [diff({a: 1, b: [2, 3]}; {a: 1, b: [2]})] | length == 1
def diff($a; $b): _diff($a; $b);

# jsonPatch(a; b): the JSON Patch (RFC 6902), an array of operations, that makes b of a. Of two proxies it is about an object of their sections.
#   jsonPatch({a: 1, b: [2, 3]}; {a: 1, b: [2]})
#   .proxy("reviews-v2") | jsonPatch(desired; .) | length
def jsonPatch($a; $b): _jsonPatch($a; $b);
