# Lookups find parts of the document by name. All of them except proxy return any number
# of results, and never an error.

# _in: the arrays in which a lookup searches for elements of a section. They are the section of the input, the section of each element of
# the input, or the input itself.
def _in($section):
  if _unread then .
  elif _kind == "Mesh" then .proxies[] | _in($section)
  elif type == "array" then if _holders then .[] | if _holder then _in($section) else [.] end else . end
  elif type == "object" and has($section) then .[$section]
  else empty end;

def _each($section): _in($section) | _list[];

# proxy(name): the one proxy of that name, or an error that lists the candidates.
# A name is an id (pod.namespace), a pod, a workload ("deploy/reviews-v1" or "reviews-v1") or a prefix that only one has;
# "cluster/id" if clusters share names. For several proxies of one workload it returns the first, with a note.
#   .proxy("reviews-v1").version
#   .proxy("istio-ingressgateway").route("http.80").match("/productpage")
def proxy($name): _proxy($name);

# proxies(name): every proxy that the name fits. The forms of a name are those of proxy.
#   [.proxies("reviews-v2") | .rds]
def proxies($name): _proxies($name);

# cluster(name): the clusters of that name of a proxy, of all proxies of the mesh, or of an array.
#   .proxy("reviews-v1").cluster("outbound|9080||ratings.default.svc.cluster.local").type
def cluster($name): _in("clusters") | _list[] | select(type == "object" and .name == $name);

# listener(name): the listeners of that name.
#   .proxy("reviews-v1").listener("0.0.0.0_9080").port
def listener($name): _in("listeners") | _list[] | select(type == "object" and .name == $name);

# route(name): the route configurations of that name.
#   .proxy("reviews-v1").route("9080").virtualHosts | length
def route($name): _in("routes") | _list[] | select(type == "object" and .name == $name);

# virtualHost(name): the virtual hosts of that name, or with that domain, of a route configuration or a proxy.
#   .proxy("reviews-v1").route("9080").virtualHost("ratings.default.svc.cluster.local").name
def virtualHost($name):
  (if _kind == "RouteConfiguration" then .virtualHosts[]?
   elif type == "array" then .[] | if _kind == "Proxy" then _each("routes") else . end | if _kind == "RouteConfiguration" then .virtualHosts[]? else . end
   else _each("routes") | .virtualHosts[]? end)
  | select(type == "object" and (.name == $name or any(.domains[]?; . == $name)));

# endpoint(name): the endpoints with that address ("10.244.0.11:9080"), ip or hostname, or of the cluster of that name.
#   .proxy("reviews-v1").endpoint("outbound|9080||ratings.default.svc.cluster.local").health
def endpoint($name): _each("endpoints") | select(type == "object") | select(.address == $name or .ip == $name or .hostname == $name or .cluster == $name);

# secret(name): the certificates of the secret of that name.
#   .proxy("reviews-v1").secret("default").notAfter
def secret($name): _in("secrets") | _list[] | select(type == "object" and .name == $name);

# extension(name): the extension configurations of that name.
#   [.proxies[] | select(isempty(extension("stats")))] | length
def extension($name): _in("extensions") | _list[] | select(type == "object" and .name == $name);
