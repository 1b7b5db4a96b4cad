package mesh

// A Kind is a kind of object in the document. It has the value of the object's
// "kind" field, and the fields that the plugin adds to those from Envoy, istiod
// or Kubernetes.
type Kind struct {
	Name string
	Doc  string

	// Message is the full name of the Envoy message whose fields the object also
	// has; empty if there is none.
	Message string

	// Open kinds may have more fields than those listed here. Their source
	// determines these other fields.
	Open bool

	Fields []Field
}

// A Field describes one field that the plugin adds to an object of the document.
// Help, completion, explain, the tables and the masks that are sent to Envoy use
// this description.
//
// A derived field of an Envoy resource is computed in package envoy from the
// resource's own fields. Needs lists those fields: when a query reads the derived
// field, they are requested from a live Envoy. A field with a Column appears in
// the table of its kind without further code.
type Field struct {
	Name string
	Doc  string
	Cost Cost
	// the kind of the object that the field contains, or of the objects in its
	// array; empty for other values
	Of    string
	Holds Holding // the possible values, if more is known about them than their type
	// the fields of the Envoy message from which this field is computed; nil if
	// it isn't derived from that message
	Needs []string

	Column string // the header of the field's column; if empty, package columns decides how to show the field
	Wide   bool   // true if the column is shown only with -o wide
}

// Needs returns the derived fields of a kind, each with the fields of the Envoy
// message from which it is computed.
func Needs(kind string) map[string][]string {
	all := map[string][]string{}
	k, _ := KindOf(kind)
	for _, f := range k.Fields {
		if f.Needs != nil {
			all[f.Name] = f.Needs
		}
	}
	return all
}

// A Cost is the cost of reading a field.
type Cost int

// These are the costs of reading a field. The outline is the data that was
// already read to build the inventory of the mesh.
const (
	InOutline Cost = iota // the field is read together with the inventory, or with the object that has the field
	OnDemand              // the field needs a request of its own
)

// Kinds returns the kinds of objects in the document, such as Proxy and Cluster. Kinds
// of Kubernetes objects are not included.
func Kinds() []Kind {
	kinds := []Kind{
		{Name: "Mesh", Doc: "the whole mesh", Fields: meshFields()},
		{Name: "Pilot", Doc: "one istiod", Fields: pilotFields()},
		{Name: "Proxy", Doc: "one Envoy, ztunnel or agentgateway", Fields: proxyFields()},
		{Name: "Desired", Doc: "the configuration that istiod would send to a proxy", Fields: desiredFields()},
		{Name: "Cluster", Doc: "an Envoy cluster, the destination of requests", Message: "envoy.config.cluster.v3.Cluster", Fields: clusterFields()},
		{Name: "Listener", Doc: "an Envoy listener, which accepts connections", Message: "envoy.config.listener.v3.Listener", Fields: listenerFields()},
		{Name: "RouteConfiguration", Doc: "an Envoy route configuration", Message: "envoy.config.route.v3.RouteConfiguration", Fields: stateFields()},
		{Name: "VirtualHost", Doc: "a virtual host: the routes of some domains", Message: "envoy.config.route.v3.VirtualHost", Fields: []Field{
			kindField(), {Name: "routeConfiguration", Doc: "the name of its route configuration"},
		}},
		{Name: "Route", Doc: "one route: its match and its destinations", Message: "envoy.config.route.v3.Route", Fields: routeFields()},
		{Name: "RouteMatch", Doc: "the route that Envoy selects for a request, returned by match(request)", Message: "envoy.config.route.v3.Route", Fields: matchFields()},
		{Name: "Endpoint", Doc: "one endpoint of a cluster", Fields: endpointFields()},
		{Name: "Secret", Doc: "one certificate, without its private key", Fields: secretFields()},
		{Name: "ExtensionConfig", Doc: "the configuration of an extension", Message: "envoy.config.core.v3.TypedExtensionConfig",
			Fields: append(stateFields(), Field{Name: "typeURL", Doc: "the type URL of its configuration", Needs: []string{"typedConfig"}})},
		{Name: "Workload", Doc: "a workload that a ztunnel knows", Open: true},
		{Name: "WorkloadService", Doc: "a service that a ztunnel knows", Open: true},
		{Name: "Policy", Doc: "an authorization policy that a ztunnel knows", Open: true},
		{Name: "Connection", Doc: "an open connection of a ztunnel", Open: true, Fields: connectionFields()},
		{Name: "Difference", Doc: "one difference between two values, returned by diff", Fields: differenceFields()},
		{Name: "Fault", Doc: "a part of the outline that could not be read", Fields: []Field{
			kindField(),
			{Name: "proxy", Doc: "the id of the proxy it is about"},
			{Name: "subject", Doc: "the istiod, or Kubernetes, if the fault is not about a proxy"},
			{Name: "section", Doc: "the part that could not be read"},
			{Name: "message", Doc: "the error"},
		}},
	}
	return append(kinds, traceKinds()...)
}

// KindOf returns the kind with the given name.
func KindOf(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

func kindField() Field { return Field{Name: "kind", Doc: "the kind of the object"} }

func meshFields() []Field {
	return []Field{
		kindField(),
		{Name: "takenAt", Doc: "when the snapshot was taken; null for a live mesh"},
		{Name: "contexts", Doc: "the kubeconfig contexts that were read", Holds: texts()},
		{Name: "pilots", Doc: "the istiods", Of: "Pilot"},
		{Name: "proxies", Doc: "the proxies, with their sync state", Of: "Proxy"},
		{Name: "faults", Doc: "the parts of the outline that could not be read", Of: "Fault"},
	}
}

func pilotFields() []Field {
	return []Field{
		kindField(),
		{Name: "name", Doc: "the name of its pod"},
		{Name: "namespace", Doc: "the pod's"},
		{Name: "revision", Doc: "the pod's label istio.io/rev"},
		{Name: "version", Doc: "istiod's version; null if istiod doesn't report it", Cost: OnDemand},
		{Name: "ip", Doc: "the pod's"},
		{Name: "clusterID", Doc: "Istio's id of the cluster that it runs in"},
		{Name: "context", Doc: "the kubeconfig context of its cluster"},
		{Name: "connectedProxies", Doc: "the number of proxies connected to it"},
		{Name: "config", Doc: "all Istio objects that it reads", Cost: OnDemand, Holds: list("KubernetesObject")},
		{Name: "registryServices", Doc: "all services in its registry", Cost: OnDemand, Holds: Holding{List: true, Open: true}},
		{Name: "pushStatus", Doc: "the errors of its last push", Cost: OnDemand, Holds: anything()},
		{Name: "meshConfig", Doc: "the mesh configuration in force", Cost: OnDemand, Holds: anything()},
		{Name: "remoteClusters", Doc: "the clusters that it watches", Cost: OnDemand, Holds: list("RemoteCluster")},
		{Name: "endpointShards", Doc: "its endpoints, by service and cluster", Cost: OnDemand, Holds: anything()},
	}
}

func proxyFields() []Field {
	fields := []Field{
		kindField(),
		{Name: "id", Doc: "pod.namespace; without a pod, the node id, or id@address if several proxies have that id"},
		{Name: "nodeID", Doc: "the node id that it sends to its control plane", Cost: OnDemand},
		{Name: "name", Doc: "the name of its pod; null if the pod is unknown"},
		{Name: "namespace", Doc: "the pod's"},
		{Name: "type", Doc: "sidecar, router, waypoint, ztunnel or agentgateway", Holds: one("sidecar", "router", "waypoint", "ztunnel", "agentgateway")},
		{Name: "clusterID", Doc: "Istio's id of the cluster that it runs in"},
		{Name: "context", Doc: "the kubeconfig context of its cluster"},
		{Name: "pilot", Doc: "the istiod that it is connected to"},
		{Name: "pilots", Doc: "all istiods that know it, the most recent connection first", Holds: texts()},
		{Name: "revision", Doc: "the revision of its istiod"},
		{Name: "version", Doc: "the Istio version that the proxy reports"},
		{Name: "ip", Doc: "the pod's IP, or the one that the proxy reports"},
		{Name: "ips", Doc: "all IPs", Holds: texts()},
		{Name: "node", Doc: "the node that the pod runs on"},
		{Name: "labels", Doc: "the pod's", Holds: scalars()},
		{Name: "annotations", Doc: "the pod's", Holds: scalars()},
		{Name: "workload", Doc: "the name of the Deployment, or of the pod's other owner"},
		{Name: "serviceAccount", Doc: "its service account"},
		{Name: "locality", Doc: "{region, zone, subZone}", Holds: objectOf("Locality")},
		{Name: "connected", Doc: "whether an istiod knows it; null if an istiod could not be read"},
		{Name: "connectedAt", Doc: "the start of its connection to istiod"},
		{Name: "ready", Doc: "whether the pod is ready"},
		{Name: "sync", Doc: "by type: {status, sent, acked, sentAt, age, pushesBehind, error}; for EDS also the percentage that old istiods report", Holds: objectOf("Sync")},
	}
	for _, t := range SyncTypes() {
		fields = append(fields, Field{Name: t.Key, Doc: "how it stands to its Pilot: " + t.Doc, Holds: one(SyncWords()...)})
	}
	for _, s := range Sections() {
		fields = append(fields, s.field())
	}
	return fields
}

func desiredFields() []Field {
	fields := []Field{kindField()}
	for _, s := range Sections() {
		if s.Desired {
			fields = append(fields, s.field())
		}
	}
	return fields
}

// stateFields returns the fields that the plugin adds to every resource in a
// config dump, such as its update state.
func stateFields() []Field {
	return []Field{
		kindField(),
		{Name: "state", Doc: "ACTIVE, STATIC, WARMING, DRAINING or REJECTED", Holds: one("ACTIVE", "STATIC", "WARMING", "DRAINING", "REJECTED")},
		{Name: "error", Doc: "why Envoy rejected it"},
		{Name: "versionInfo", Doc: "the version that istiod gave it"},
		{Name: "lastUpdated", Doc: "when Envoy accepted or rejected it"},
	}
}

func clusterFields() []Field {
	return append(stateFields(),
		Field{Name: "direction", Doc: "outbound, inbound or inbound-vip, from the name", Holds: one("outbound", "inbound", "inbound-vip"), Needs: []string{"name"}, Column: "DIRECTION"},
		Field{Name: "port", Doc: "the service's port, from the name", Needs: []string{"name"}, Column: "PORT"},
		Field{Name: "subset", Doc: "the DestinationRule's subset, from the name", Needs: []string{"name"}, Column: "SUBSET"},
		Field{Name: "fqdn", Doc: "the service, from the name", Needs: []string{"name"}},
		Field{Name: "destinationRule", Doc: "name.namespace of its DestinationRule", Needs: []string{"metadata"}, Column: "DESTINATION RULE"})
}

func listenerFields() []Field {
	return append(stateFields(),
		Field{Name: "host", Doc: "the address that it listens on", Needs: []string{"address"}},
		Field{Name: "port", Doc: "the port that it listens on", Needs: []string{"address"}},
		Field{Name: "protocols", Doc: "the protocols of its filter chains: HTTP, TCP", Holds: many("HTTP", "TCP"), Needs: []string{"filterChains", "defaultFilterChain"}})
}

func routeFields() []Field {
	return []Field{
		kindField(),
		{Name: "routeConfiguration", Doc: "the name of its route configuration"},
		{Name: "virtualHost", Doc: "the name of its virtual host"},
		{Name: "virtualService", Doc: "name.namespace of its VirtualService, or httproute/name.namespace of its HTTPRoute or GRPCRoute"},
		{Name: "destinations", Doc: "[{cluster, weight}]", Holds: list("Destination")},
	}
}

func endpointFields() []Field {
	return []Field{
		kindField(), {Name: "address", Doc: "ip:port, or the path of a socket"}, {Name: "ip", Doc: "null if the address is no socket address"}, {Name: "port", Doc: "null if the address is no socket address"}, {Name: "hostname", Doc: "the hostname that istiod sent"},
		{Name: "cluster", Doc: "the name of its cluster; null if Envoy doesn't report it (up to 1.22)"},
		{Name: "health", Doc: "the health that istiod sent: HEALTHY, UNHEALTHY, DRAINING, TIMEOUT, DEGRADED or UNKNOWN", Holds: one("HEALTHY", "UNHEALTHY", "DRAINING", "TIMEOUT", "DEGRADED", "UNKNOWN")},
		{Name: "weight", Doc: "its weight within its locality"}, {Name: "priority", Doc: "its priority; 0 is tried first"}, {Name: "locality", Doc: "{region, zone, subZone}", Holds: objectOf("Locality")},
		{Name: "localityWeight", Doc: "the weight of its locality within the priority; null if it has none"},
		{Name: "overprovisioningFactor", Doc: "the overprovisioning factor of its cluster, in percent"},
		{Name: "metadata", Doc: "the metadata that istiod sent", Holds: objectOf("envoy.config.core.v3.Metadata")},
		{Name: "outlier", Doc: "the results of Envoy's health checks and outlier detection", Cost: OnDemand},
		{Name: "stats", Doc: "Envoy's counters for it", Cost: OnDemand, Holds: scalars()},
	}
}

func secretFields() []Field {
	return []Field{
		kindField(), {Name: "name", Doc: "the name of the secret: default is the proxy's certificate, ROOTCA the authorities that it trusts"},
		{Name: "type", Doc: "Cert Chain or CA; a ztunnel's: Leaf, Intermediate or Root", Holds: one("Cert Chain", "CA", "Leaf", "Intermediate", "Root")},
		{Name: "state", Doc: "the state that Envoy or the ztunnel reports"},
		{Name: "valid", Doc: "whether the current time is between notBefore and notAfter"},
		{Name: "serialNumber", Doc: "the serial number, in hexadecimal"}, {Name: "notBefore", Doc: "the start of its validity"}, {Name: "notAfter", Doc: "the end of its validity"},
		{Name: "trustDomain", Doc: "the trust domain of the SPIFFE identity"}, {Name: "subjectAltNames", Doc: "the names that it is valid for", Holds: texts()}, {Name: "issuer", Doc: "the authority that signed it"},
		{Name: "error", Doc: "why a ztunnel has no certificate"},
		{Name: "versionInfo", Doc: "the version that istiod gave it"},
		{Name: "lastUpdated", Doc: "when Envoy accepted it"},
	}
}

func connectionFields() []Field {
	return []Field{
		kindField(),
		{Name: "workload", Doc: "name.namespace of its workload"},
		{Name: "direction", Doc: "inbound or outbound", Holds: one("inbound", "outbound")},
		{Name: "src", Doc: "the source of the connection", Holds: anything()}, {Name: "originalDst", Doc: "the original destination", Holds: anything()}, {Name: "actualDst", Doc: "the destination that the ztunnel chose", Holds: anything()}, {Name: "protocol", Doc: "the protocol that the ztunnel reports"},
	}
}

func matchFields() []Field {
	return append(routeFields(),
		Field{Name: "cluster", Doc: "the cluster that gets the request; null if only the shares of several are known"},
		Field{Name: "clusters", Doc: "all clusters that may get the request: [{name, share}]", Holds: list("Share")},
		Field{Name: "url", Doc: "the URL of the forwarded request; only the path if the host is unknown"},
		Field{Name: "redirectTo", Doc: "{status, location}; null if the route is no redirect", Holds: objectOf("Redirect")},
		Field{Name: "directStatus", Doc: "the status of Envoy's own response; null if it forwards the request"},
		Field{Name: "timeout", Doc: "the timeout of the whole request in seconds; 0: none; null if the request is not forwarded"},
		Field{Name: "retries", Doc: "{attempts, on, perTryTimeout}; null if it is not retried", Holds: objectOf("Retries")},
		Field{Name: "mirrors", Doc: "the clusters that get copies: [{cluster, share}]", Holds: list("Mirror")},
		Field{Name: "unsupported", Doc: "the settings whose effect the configuration alone doesn't decide", Holds: texts()},
	)
}

func differenceFields() []Field {
	return []Field{
		kindField(),
		{Name: "proxy", Doc: "the id of the proxy it is about"},
		{Name: "section", Doc: "the section: clusters, listeners, routes, endpoints or extensions", Holds: one("clusters", "listeners", "routes", "endpoints", "extensions")},
		{Name: "resourceKind", Doc: "the kind of the object that differs: Cluster, Listener, …"},
		{Name: "resource", Doc: "the name of that object, or of the endpoint's cluster"},
		{Name: "address", Doc: "the address of the endpoint"},
		{Name: "path", Doc: "the path in the object, as jq writes it; . if one side has no such object"},
		{Name: "within", Doc: "the names of the list elements on the path", Holds: texts()},
		{Name: "pilot", Doc: "the value that istiod would send; absent if there is none", Holds: anything()},
		{Name: "envoy", Doc: "the value that Envoy has; absent if there is none", Holds: anything()},
		{Name: "a", Doc: "the first value, if two values were compared", Holds: anything()},
		{Name: "b", Doc: "the second value, if two values were compared", Holds: anything()},
		{Name: "source", Doc: "its Istio resource: DestinationRule/reviews.default"},
		{Name: "refused", Doc: "why Envoy rejected the object, if it did; it continues to use an older one, or none"},
		{Name: "warming", Doc: "true if Envoy has a newer object that is not ready"},
	}
}
