package mesh

// A Holding is what stands in a field of the document.
type Holding struct {
	// Objects are the names of the shapes that an object there may have: a
	// kind's, one of [Shapes], or the full name of a message of Envoy's. None:
	// it is no object, or one of which nothing is known.
	Objects []string

	List bool // it is an array of such
	Map  bool // it is an object whose keys are data and whose values are such
	Open bool // it may be anything

	// Values are the strings that it may be; nil where any may be, or none.
	Values []string
}

// A Member is a field of an object of the document and what stands in it.
type Member struct {
	Name    string
	Doc     string // empty where its source has said nothing that we know
	Cost    Cost
	Holding Holding
}

// MembersOf gives the fields that a kind has from us, with what stands in each,
// in the order of [Kinds]. Without a table of their own they hold a scalar.
func (k Kind) MembersOf() []Member {
	special := holdings()
	all := make([]Member, 0, len(k.Fields))
	for _, f := range k.Fields {
		m := Member{Name: f.Name, Doc: f.Doc, Cost: f.Cost}
		if h, ok := special[k.Name+"."+f.Name]; ok {
			m.Holding = h
		} else if h, ok := special[f.Name]; ok {
			m.Holding = h
		}
		if f.Of != "" {
			m.Holding = Holding{Objects: []string{f.Of}, List: true}
		}
		all = append(all, m)
	}
	return append(all, ambient()[k.Name]...)
}

func objectOf(name string) Holding  { return Holding{Objects: []string{name}} }
func list(name string) Holding      { return Holding{Objects: []string{name}, List: true} }
func texts() Holding                { return Holding{List: true} }
func scalars() Holding              { return Holding{Map: true} }
func one(values ...string) Holding  { return Holding{Values: values} }
func many(values ...string) Holding { return Holding{Values: values, List: true} }
func anything() Holding             { return Holding{Open: true} }

// holdings are what stands in the fields that hold more than any one string or
// number: by kind and name, or by a name that means one thing in all kinds.
func holdings() map[string]Holding {
	all := map[string]Holding{
		"locality": objectOf("Locality"), "destinations": list("Destination"), "unsupported": texts(),
		"state": one("ACTIVE", "STATIC", "WARMING", "DRAINING", "REJECTED"),

		"Mesh.contexts": texts(),

		"Pilot.config": list("KubernetesObject"), "Pilot.registryServices": {List: true, Open: true}, "Pilot.pushStatus": anything(),
		"Pilot.meshConfig": anything(), "Pilot.remoteClusters": list("RemoteCluster"), "Pilot.endpointShards": anything(),

		"Proxy.pilots": texts(), "Proxy.ips": texts(), "Proxy.labels": scalars(), "Proxy.annotations": scalars(), "Proxy.sync": objectOf("Sync"),
		"Proxy.type": one("sidecar", "router", "waypoint", "ztunnel"), "Proxy.connected": {}, "Proxy.ready": {},
		"Proxy.bootstrap": objectOf("envoy.config.bootstrap.v3.Bootstrap"), "Proxy.server": objectOf("envoy.admin.v3.ServerInfo"),
		"Proxy.stats": objectOf("Stats"), "Proxy.updates": objectOf("Updates"), "Proxy.loggers": scalars(),

		"Cluster.direction": one("outbound", "inbound", "inbound-vip"), "Listener.protocols": many("HTTP", "TCP"),

		"Endpoint.health":   one("HEALTHY", "UNHEALTHY", "DRAINING", "TIMEOUT", "DEGRADED", "UNKNOWN"),
		"Endpoint.metadata": objectOf("envoy.config.core.v3.Metadata"), "Endpoint.stats": scalars(),

		"Secret.type": one("Cert Chain", "CA", "Leaf", "Intermediate", "Root"), "Secret.state": {}, "Secret.subjectAltNames": texts(),

		"RouteMatch.clusters": list("Share"), "RouteMatch.redirectTo": objectOf("Redirect"), "RouteMatch.retries": objectOf("Retries"), "RouteMatch.mirrors": list("Mirror"),
		"Difference.within": texts(), "Difference.pilot": anything(), "Difference.envoy": anything(), "Difference.a": anything(), "Difference.b": anything(),
		"Difference.section": one("clusters", "listeners", "routes", "endpoints", "extensions"),

		"Trace.request": objectOf("TraceRequest"), "Trace.steps": list("TraceStep"), "Trace.clusters": list("TraceShare"), "Trace.endpoints": list("TraceEndpoint"),
		"Trace.policies": list("TracePolicy"), "Trace.outcomes": list("TraceOutcome"), "Trace.unknowns": list("TraceUnknown"), "Trace.faults": list("TraceFault"), "Trace.mirrors": list("Mirror"),
		"Trace.reason": one("PASSTHROUGH", "BLACKHOLE", "REDIRECT", "DIRECT_RESPONSE", "DENIED", "FAULT", "TLS_MISMATCH", "UNSUPPORTED",
			"NO_LISTENER", "NO_FILTER_CHAIN", "NO_VHOST", "NO_ROUTE", "NO_CLUSTER", "NO_ENDPOINTS", "ALL_UNHEALTHY", "SUBSET_EMPTY"),

		"UnreachableRoute.reason": one("SHADOWED", "DUPLICATE_DOMAIN", "NO_CLUSTER", "NO_ENDPOINTS", "ALL_UNHEALTHY", "SUBSET_EMPTY"),
		"UnreachableRoute.by":     anything(),

		"Connection.src": anything(), "Connection.originalDst": anything(), "Connection.actualDst": anything(), "Connection.direction": one("inbound", "outbound"),
	}
	for _, t := range SyncTypes() {
		all["Proxy."+t.Key] = one(SyncWords()...)
	}
	return all
}

// SyncWords are the words that say how a proxy stands to its Pilot.
func SyncWords() []string { return []string{Synced, Stale, NotSent, InError, Ignored, Unknown} }
