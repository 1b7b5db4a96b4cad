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
	Name  string
	Doc   string
	Cost  Cost
	Of    string   // the kind of the object in the field, or of the objects in its array; empty for other values
	Holds Holding  // the possible values, if they are more specific than "any string or number"
	Needs []string // the fields of Message from which it is computed; nil if it isn't derived from them

	Column string // the header of the field's column; if empty, package columns decides how the field is shown
	Wide   bool   // reports whether the column is shown only with -o wide
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

// These are the costs. The outline is the data that the inventory of the mesh has
// read already.
const (
	InOutline Cost = iota // reading the field costs no request besides those for the outline, or for the object itself
	OnDemand              // reading the field costs a request of its own
)

// Kinds returns the kinds of the document, except those of Kubernetes.
func Kinds() []Kind {
	kinds := []Kind{
		{Name: "Mesh", Doc: "the whole mesh", Fields: meshFields()},
		{Name: "Pilot", Doc: "one istiod", Fields: pilotFields()},
		{Name: "Proxy", Doc: "one Envoy or ztunnel", Fields: proxyFields()},
		{Name: "Desired", Doc: "what Pilot would send to a proxy", Fields: desiredFields()},
		{Name: "Cluster", Doc: "where Envoy sends requests to", Message: "envoy.config.cluster.v3.Cluster", Fields: clusterFields()},
		{Name: "Listener", Doc: "where Envoy takes connections", Message: "envoy.config.listener.v3.Listener", Fields: listenerFields()},
		{Name: "RouteConfiguration", Doc: "which request goes where", Message: "envoy.config.route.v3.RouteConfiguration", Fields: stateFields()},
		{Name: "VirtualHost", Doc: "the routes of some hosts", Message: "envoy.config.route.v3.VirtualHost", Fields: []Field{
			kindField(), {Name: "routeConfiguration", Doc: "the name of the route configuration it is in"},
		}},
		{Name: "Route", Doc: "one route: what matches, and where it goes", Message: "envoy.config.route.v3.Route", Fields: routeFields()},
		{Name: "RouteMatch", Doc: "the route that Envoy takes for a request, as match(request) gives it", Message: "envoy.config.route.v3.Route", Fields: matchFields()},
		{Name: "Endpoint", Doc: "one address of a cluster", Fields: endpointFields()},
		{Name: "Secret", Doc: "one certificate, never its key", Fields: secretFields()},
		{Name: "ExtensionConfig", Doc: "an extension's configuration", Message: "envoy.config.core.v3.TypedExtensionConfig",
			Fields: append(stateFields(), Field{Name: "typeURL", Doc: "the type of its configuration", Needs: []string{"typedConfig"}})},
		{Name: "Workload", Doc: "a workload, as a ztunnel knows it", Open: true},
		{Name: "WorkloadService", Doc: "a service, as a ztunnel knows it", Open: true},
		{Name: "Policy", Doc: "an authorization policy, as a ztunnel knows it", Open: true},
		{Name: "Connection", Doc: "a connection open in a ztunnel", Open: true, Fields: connectionFields()},
		{Name: "Difference", Doc: "one place at which two values differ, as diff gives it", Fields: differenceFields()},
		{Name: "Fault", Doc: "something of the outline that could not be had", Fields: []Field{
			kindField(),
			{Name: "proxy", Doc: "the id of the proxy it is about"},
			{Name: "subject", Doc: "whose it is when it is not a proxy's: an istiod's, Kubernetes'"},
			{Name: "section", Doc: "what was asked for"},
			{Name: "message", Doc: "what was met"},
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

func kindField() Field { return Field{Name: "kind", Doc: "the name of its kind"} }

func meshFields() []Field {
	return []Field{
		kindField(),
		{Name: "takenAt", Doc: "when the snapshot was taken; null for a live mesh"},
		{Name: "contexts", Doc: "the kubeconfig contexts looked at", Holds: texts()},
		{Name: "pilots", Doc: "the istiods", Of: "Pilot"},
		{Name: "proxies", Doc: "the proxies: who, where, and how they stand to their Pilot", Of: "Proxy"},
		{Name: "faults", Doc: "what of this outline could not be had", Of: "Fault"},
	}
}

func pilotFields() []Field {
	return []Field{
		kindField(),
		{Name: "name", Doc: "its pod"},
		{Name: "namespace", Doc: "the pod's"},
		{Name: "revision", Doc: "the pod's label istio.io/rev"},
		{Name: "version", Doc: "istiod's version; null when it doesn't say", Cost: OnDemand},
		{Name: "ip", Doc: "the pod's"},
		{Name: "clusterID", Doc: "the cluster it runs in, by Istio's name"},
		{Name: "context", Doc: "the kubeconfig's context that it was found through"},
		{Name: "connectedProxies", Doc: "how many proxies are connected to it"},
		{Name: "config", Doc: "every Istio object it sees", Cost: OnDemand, Holds: list("KubernetesObject")},
		{Name: "registryServices", Doc: "every service it knows", Cost: OnDemand, Holds: Holding{List: true, Open: true}},
		{Name: "pushStatus", Doc: "what was wrong with its last push", Cost: OnDemand, Holds: anything()},
		{Name: "meshConfig", Doc: "the mesh-wide settings in force", Cost: OnDemand, Holds: anything()},
		{Name: "remoteClusters", Doc: "the clusters it watches", Cost: OnDemand, Holds: list("RemoteCluster")},
		{Name: "endpointShards", Doc: "the endpoints it knows, by service and cluster", Cost: OnDemand, Holds: anything()},
	}
}

func proxyFields() []Field {
	fields := []Field{
		kindField(),
		{Name: "id", Doc: "pod.namespace; without a pod the node's id, and id@address where several have that"},
		{Name: "nodeID", Doc: "what its control plane calls its node", Cost: OnDemand},
		{Name: "name", Doc: "its pod; null where it has none that is known"},
		{Name: "namespace", Doc: "the pod's"},
		{Name: "type", Doc: "sidecar, router, waypoint or ztunnel", Holds: one("sidecar", "router", "waypoint", "ztunnel")},
		{Name: "clusterID", Doc: "the cluster it runs in, by Istio's name"},
		{Name: "context", Doc: "the kubeconfig's context that its cluster was read through"},
		{Name: "pilot", Doc: "the istiod it is connected to"},
		{Name: "pilots", Doc: "every istiod that knows it, the one that heard of it last first", Holds: texts()},
		{Name: "revision", Doc: "the revision of istiod that it belongs to"},
		{Name: "version", Doc: "Istio's version, as the proxy says it"},
		{Name: "ip", Doc: "the pod's, or what the proxy says"},
		{Name: "ips", Doc: "all of them", Holds: texts()},
		{Name: "node", Doc: "the node the pod runs on"},
		{Name: "labels", Doc: "the pod's", Holds: scalars()},
		{Name: "annotations", Doc: "the pod's", Holds: scalars()},
		{Name: "workload", Doc: "the Deployment, or what else made the pod"},
		{Name: "serviceAccount", Doc: "whose identity it has"},
		{Name: "locality", Doc: "{region, zone, subZone}", Holds: objectOf("Locality")},
		{Name: "connected", Doc: "whether a Pilot knows it; null when not every Pilot could be asked"},
		{Name: "connectedAt", Doc: "since when it is connected to its Pilot"},
		{Name: "ready", Doc: "the pod's condition"},
		{Name: "sync", Doc: "by type: {status, sent, acked, sentAt, age, pushesBehind, error}, and of EDS the percent that old istiods tell", Holds: objectOf("Sync")},
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

// stateFields returns the fields of every resource that Envoy holds by name.
func stateFields() []Field {
	return []Field{
		kindField(),
		{Name: "state", Doc: "ACTIVE, STATIC, WARMING, DRAINING or REJECTED", Holds: one("ACTIVE", "STATIC", "WARMING", "DRAINING", "REJECTED")},
		{Name: "error", Doc: "why Envoy refused it"},
		{Name: "versionInfo", Doc: "the version Pilot gave it"},
		{Name: "lastUpdated", Doc: "when Envoy took it, or refused it"},
	}
}

func clusterFields() []Field {
	return append(stateFields(),
		Field{Name: "direction", Doc: "outbound, inbound or inbound-vip, from the name", Holds: one("outbound", "inbound", "inbound-vip"), Needs: []string{"name"}, Column: "DIRECTION"},
		Field{Name: "port", Doc: "the service's port, from the name", Needs: []string{"name"}, Column: "PORT"},
		Field{Name: "subset", Doc: "the DestinationRule's subset, from the name", Needs: []string{"name"}, Column: "SUBSET"},
		Field{Name: "fqdn", Doc: "the service, from the name", Needs: []string{"name"}},
		Field{Name: "destinationRule", Doc: "name.namespace of the DestinationRule that shaped it", Needs: []string{"metadata"}, Column: "DESTINATION RULE"})
}

func listenerFields() []Field {
	return append(stateFields(),
		Field{Name: "host", Doc: "the address it listens on", Needs: []string{"address"}},
		Field{Name: "port", Doc: "the port it listens on", Needs: []string{"address"}},
		Field{Name: "protocols", Doc: "what its filter chains speak: HTTP, TCP", Holds: many("HTTP", "TCP"), Needs: []string{"filterChains", "defaultFilterChain"}})
}

func routeFields() []Field {
	return []Field{
		kindField(),
		{Name: "routeConfiguration", Doc: "the name of the route configuration it is in"},
		{Name: "virtualHost", Doc: "the name of the virtual host it is in"},
		{Name: "virtualService", Doc: "name.namespace of the VirtualService it came from"},
		{Name: "destinations", Doc: "[{cluster, weight}]", Holds: list("Destination")},
	}
}

func endpointFields() []Field {
	return []Field{
		kindField(), {Name: "address", Doc: "ip:port, or the path of a socket"}, {Name: "ip", Doc: "null where it is no socket address"}, {Name: "port", Doc: "null where it is no socket address"}, {Name: "hostname", Doc: "as Pilot gives it"},
		{Name: "cluster", Doc: "the name of the cluster it belongs to; null where Envoy doesn't say it (up to 1.22)"},
		{Name: "health", Doc: "HEALTHY, UNHEALTHY, DRAINING, TIMEOUT, DEGRADED or UNKNOWN, as Pilot says", Holds: one("HEALTHY", "UNHEALTHY", "DRAINING", "TIMEOUT", "DEGRADED", "UNKNOWN")},
		{Name: "weight", Doc: "its share among those of its locality"}, {Name: "priority", Doc: "0 is tried first"}, {Name: "locality", Doc: "{region, zone, subZone}", Holds: objectOf("Locality")},
		{Name: "localityWeight", Doc: "the weight of its locality within the priority; null where it has none"},
		{Name: "overprovisioningFactor", Doc: "of its cluster, in percent: how much more than their part the healthy ones take"},
		{Name: "metadata", Doc: "what Pilot says of it", Holds: objectOf("envoy.config.core.v3.Metadata")},
		{Name: "outlier", Doc: "what Envoy's own checks say", Cost: OnDemand},
		{Name: "stats", Doc: "Envoy's counters of it", Cost: OnDemand, Holds: scalars()},
	}
}

func secretFields() []Field {
	return []Field{
		kindField(), {Name: "name", Doc: "default is its own certificate, ROOTCA what it trusts"},
		{Name: "type", Doc: "Cert Chain or CA; a ztunnel's: Leaf, Intermediate or Root", Holds: one("Cert Chain", "CA", "Leaf", "Intermediate", "Root")},
		{Name: "state", Doc: "in the word of Envoy, or of the ztunnel"},
		{Name: "valid", Doc: "whether now lies between notBefore and notAfter"},
		{Name: "serialNumber", Doc: "in hexadecimal"}, {Name: "notBefore", Doc: "when it begins to be valid"}, {Name: "notAfter", Doc: "when it expires"},
		{Name: "trustDomain", Doc: "of the SPIFFE identity"}, {Name: "subjectAltNames", Doc: "whom it is for", Holds: texts()}, {Name: "issuer", Doc: "who signed it"},
		{Name: "error", Doc: "why a ztunnel has no certificate"},
		{Name: "versionInfo", Doc: "the version Pilot gave it"},
		{Name: "lastUpdated", Doc: "when Envoy took it"},
	}
}

func connectionFields() []Field {
	return []Field{
		kindField(),
		{Name: "workload", Doc: "name.namespace of the workload it belongs to"},
		{Name: "direction", Doc: "inbound or outbound", Holds: one("inbound", "outbound")},
		{Name: "src", Doc: "who connected", Holds: anything()}, {Name: "originalDst", Doc: "where to", Holds: anything()}, {Name: "actualDst", Doc: "where it was sent", Holds: anything()}, {Name: "protocol", Doc: "as the ztunnel names it"},
	}
}

func matchFields() []Field {
	return append(routeFields(),
		Field{Name: "cluster", Doc: "the one that is asked; null where only shares are known"},
		Field{Name: "clusters", Doc: "all that may be asked: [{name, share}]", Holds: list("Share")},
		Field{Name: "url", Doc: "the request's URL as it is forwarded; a path where its host isn't known"},
		Field{Name: "redirectTo", Doc: "{status, location}; null where it is none", Holds: objectOf("Redirect")},
		Field{Name: "directStatus", Doc: "the status that Envoy answers itself; null where it does not"},
		Field{Name: "timeout", Doc: "how many seconds the whole request may take; 0: any time; null where it is not forwarded"},
		Field{Name: "retries", Doc: "{attempts, on, perTryTimeout}; null where it is not tried again", Holds: objectOf("Retries")},
		Field{Name: "mirrors", Doc: "where copies are sent: [{cluster, share}]", Holds: list("Mirror")},
		Field{Name: "unsupported", Doc: "what was met and can't be decided from the configuration", Holds: texts()},
	)
}

func differenceFields() []Field {
	return []Field{
		kindField(),
		{Name: "proxy", Doc: "the id of the proxy it is about"},
		{Name: "section", Doc: "where in the proxy: clusters, listeners, routes, endpoints or extensions", Holds: one("clusters", "listeners", "routes", "endpoints", "extensions")},
		{Name: "resourceKind", Doc: "the kind of the object that differs: Cluster, Listener, …"},
		{Name: "resource", Doc: "the name of that object; of an endpoint, of its cluster"},
		{Name: "address", Doc: "of an endpoint"},
		{Name: "path", Doc: "where in the object, as jq writes it; . where one side has no such object"},
		{Name: "within", Doc: "the names of the list elements on the path", Holds: texts()},
		{Name: "pilot", Doc: "what Pilot would send; not there where that is nothing", Holds: anything()},
		{Name: "envoy", Doc: "what Envoy has; not there where that is nothing", Holds: anything()},
		{Name: "a", Doc: "what the first value has, where two were compared", Holds: anything()},
		{Name: "b", Doc: "what the second value has, where two were compared", Holds: anything()},
		{Name: "source", Doc: "the Istio resource that it comes from: DestinationRule/reviews.default"},
		{Name: "refused", Doc: "why Envoy rejected the object, where it did: it goes on with an older one, or with none"},
		{Name: "warming", Doc: "true where Envoy has a newer object that is not ready to be used"},
	}
}
