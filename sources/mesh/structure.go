package mesh

// Shapes maps the names of shapes to the members of an object. A shape
// describes an object that occurs inside objects of a kind and has no kind
// itself.
func Shapes() map[string][]Member {
	shapes := map[string][]Member{
		"Locality":    {text("region", ""), text("zone", ""), text("subZone", "")},
		"Destination": {text("cluster", "its name"), text("weight", "its share among the others'")},
		"Share":       {text("name", "of the cluster"), text("share", "of the requests, up to 1")},
		"Retries":     {text("attempts", "how often it is tried again"), text("on", "after what"), text("perTryTimeout", "in seconds; null where there is none")},
		"Redirect":    {text("status", "of the redirect"), text("location", "where it leads to")},
		"Sync":        syncMembers(),
		"SyncState": {
			{Name: "status", Doc: "the sync status", Holding: one(SyncWords()...)},
			text("sent", "the version that Pilot sent last"), text("acked", "the version that the proxy accepted last"),
			text("sentAt", "when Pilot sent it"), text("age", "seconds since then"),
			text("pushesBehind", "how many pushes lie between; null when they can't be compared"), text("error", "why the proxy refused it"),
			text("percent", "of EDS, from an istiod before 1.6: the share of its clusters that the proxy has asked for"),
		},
		"Updates": updateMembers(),
		"Update": {
			text("version", "of what is in force; null where resources have several"),
			text("accepted", "how many updates it took since it started; null where it doesn't count"),
			text("rejected", "how many it refused"), text("failed", "how many did not arrive"),
			text("lastUpdated", "when it took the last one"),
			{Name: "errors", Doc: "the rejected resources of which it has no newer version; null if its dump doesn't have them", Holding: list("UpdateError")},
		},
		"UpdateError": {
			text("name", "of the resource; null where it has none"), text("error", "why, in Envoy's words"),
			text("versionInfo", "of what was refused"), text("lastUpdated", "when it was refused"),
		},
		"RemoteCluster": {text("id", "Istio's name of the cluster"), text("secretName", "where its kubeconfig is"), text("syncStatus", "whether istiod has read it")},
		"Stats":         {{Name: "stats", Doc: "counters and gauges, then the histograms", Holding: list("Stat")}},
		"Stat":          {text("name", ""), text("value", ""), {Name: "histograms", Doc: "the histograms, in the last element", Holding: anything()}},
	}
	for _, more := range []map[string][]Member{traceShapes(), kubernetesShapes()} {
		for name, members := range more {
			shapes[name] = members
		}
	}
	return shapes
}

func text(name, doc string) Member { return Member{Name: name, Doc: doc} }

func syncMembers() (all []Member) {
	for _, t := range SyncTypes() {
		all = append(all, Member{Name: t.Key, Doc: t.Doc, Holding: objectOf("SyncState")})
	}
	return all
}

func updateMembers() []Member {
	all := []Member{
		{Name: "connected", Doc: "whether its stream to the control plane is open; null if it has no counter of it"},
		text("controlPlane", "how the control plane calls itself"),
	}
	for _, t := range SyncTypes() {
		if t.Envoy {
			all = append(all, Member{Name: t.Key, Doc: t.Doc, Holding: objectOf("Update")})
		}
	}
	return all
}

func traceShapes() map[string][]Member {
	return map[string][]Member{
		"TraceRequest": {
			text("method", ""), text("scheme", ""), text("host", ""), text("port", "that the client connects to"), text("path", ""),
			text("source", "the client's address"), text("destination", "the address it connects to"), text("sni", "the name it asks for in TLS"),
			text("principal", "whom its certificate is for"), {Name: "direction", Doc: "outbound from the proxy's workload, or inbound to it", Holding: one("outbound", "inbound")},
		},
		"TraceStep": {
			text("step", "what was chosen: listener, filter chain, route, …"), text("name", "of what was chosen"), text("reason", "why it was"),
			text("istio", "the Istio resource it came from"), {Name: "almost", Doc: "what was almost chosen", Holding: list("TraceNear")},
			{Name: "object", Doc: "what was chosen", Holding: anything()},
		},
		"TraceNear":    {text("name", "of what was not chosen"), text("why", "it was not")},
		"TraceShare":   {text("name", "of the cluster"), text("share", "of the requests, up to 1"), text("reason", "why none of them reaches an endpoint")},
		"TraceOutcome": {text("share", "of the traffic, up to 1"), text("reason", "why it gets to no endpoint; null or PASSTHROUGH where it does, UNKNOWN where that isn't known")},
		"TraceUnknown": {text("what", "is not known"), text("why", "")},
		"TraceEndpoint": {
			text("address", "ip:port, or the path of a socket"), text("ip", ""), text("port", ""), text("share", "of the requests, up to 1"),
			{Name: "health", Doc: "the health that istiod reports", Holding: one("HEALTHY", "UNHEALTHY", "DRAINING", "TIMEOUT", "DEGRADED", "UNKNOWN")},
			text("cluster", "the name of the cluster it belongs to"), text("workload", "name.namespace"), text("transport", "the transport socket that is taken"),
			text("weight", ""), text("priority", ""), {Name: "locality", Holding: objectOf("Locality")}, text("outlier", "what Envoy's own checks say"),
		},
		"TracePolicy": {
			text("filter", "that asks"), {Name: "action", Holding: one("ALLOW", "DENY", "LOG")}, text("policy", "as the filter calls it"), text("istio", "the AuthorizationPolicy"),
			{Name: "verdict", Holding: one("allowed", "denied", "unknown")}, text("shadow", "true: it is only noted"), text("unknown", "what it hangs on and isn't known"),
		},
		"TraceFault": {{Name: "fault", Holding: one("abort", "delay")}, text("share", "of the requests, up to 1"), text("status", "that is answered"), text("delay", "")},
		"Mirror":     {text("cluster", "its name"), text("share", "of the requests that are copied, up to 1")},
	}
}

// ambient returns the fields of the objects in ztunnel's answers, by kind, for
// the ztunnel of Istio 1.20 and later.
func ambient() map[string][]Member {
	ips := Member{Name: "workloadIps", Doc: "its addresses", Holding: texts()}
	name, namespace := text("name", ""), text("namespace", "")
	return map[string][]Member{
		"Workload": {
			name, namespace, ips, text("hostname", "where it has no addresses"), text("protocol", "HBONE or TCP"), text("uid", ""), {Name: "waypoint", Doc: "the waypoint that its requests pass", Holding: anything()},
			text("trustDomain", ""), text("serviceAccount", "whose identity it has"), text("workloadName", ""), text("workloadType", ""), text("canonicalName", ""),
			text("canonicalRevision", ""), text("network", ""), text("node", "the node it runs on"), text("nativeTunnel", "whether it speaks HBONE itself"),
			text("status", ""), text("clusterId", ""),
		},
		"WorkloadService": {
			name, namespace, text("hostname", ""), {Name: "vips", Doc: "its addresses", Holding: texts()}, {Name: "ports", Doc: "the target port, by port number", Holding: scalars()},
			{Name: "endpoints", Doc: "the endpoints, by workload", Holding: anything()}, {Name: "subjectAltNames", Holding: texts()}, {Name: "waypoint", Doc: "the waypoint that its requests pass", Holding: anything()},
		},
		"Policy": {name, namespace, text("action", ""), text("scope", ""), {Name: "rules", Holding: Holding{List: true, Open: true}}},
	}
}

// kubernetesShapes returns the fields that all objects of Kubernetes have, and
// the fields that the specifications of services and of Istio's kinds have had
// since their first version.
func kubernetesShapes() map[string][]Member {
	metadata := Member{Name: "metadata", Doc: "name, namespace, labels, …", Holding: objectOf("ObjectMeta")}
	shapes := map[string][]Member{
		"ObjectMeta": {
			text("name", ""), text("namespace", ""), {Name: "labels", Holding: scalars()}, {Name: "annotations", Holding: scalars()}, text("creationTimestamp", ""),
			text("generation", "of the specification"), text("resourceVersion", ""), text("uid", ""), {Name: "ownerReferences", Holding: Holding{List: true, Open: true}},
		},
		"KubernetesObject": {
			text("apiVersion", ""), text("kind", ""), metadata, {Name: "spec", Doc: "the desired state", Holding: anything()}, {Name: "status", Doc: "the current state", Holding: anything()},
		},
	}
	shapes["EndpointSlice"] = []Member{
		text("apiVersion", ""), text("kind", ""), metadata, {Name: "addressType", Holding: one("IPv4", "IPv6", "FQDN")},
		{Name: "endpoints", Holding: Holding{List: true, Open: true}}, {Name: "ports", Holding: Holding{List: true, Open: true}},
	}
	for kind, spec := range specifications() {
		shapes[kind+"Spec"] = spec
		shapes[kind] = []Member{
			text("apiVersion", ""), text("kind", ""), metadata, {Name: "spec", Doc: "the desired state", Holding: objectOf(kind + "Spec")},
			{Name: "status", Doc: "the current state", Holding: anything()},
		}
	}
	return shapes
}

func specifications() map[string][]Member {
	open := func(names ...string) (all []Member) {
		for _, n := range names {
			all = append(all, Member{Name: n, Holding: anything()})
		}
		return all
	}
	selector := Member{Name: "selector", Doc: "the labels of its pods", Holding: anything()}
	hosts, exportTo := Member{Name: "hosts", Holding: texts()}, Member{Name: "exportTo", Doc: "the namespaces that see it", Holding: texts()}
	return map[string][]Member{
		"Service": append([]Member{selector, text("clusterIP", ""), {Name: "clusterIPs", Holding: texts()},
			{Name: "type", Holding: one("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")}}, open("ports", "externalName", "sessionAffinity")...),
		"VirtualService":      append([]Member{hosts, {Name: "gateways", Holding: texts()}, exportTo}, open("http", "tcp", "tls")...),
		"DestinationRule":     append([]Member{text("host", ""), exportTo, {Name: "workloadSelector", Holding: anything()}}, open("subsets", "trafficPolicy")...),
		"ServiceEntry":        append([]Member{hosts, {Name: "addresses", Holding: texts()}, text("location", ""), text("resolution", ""), exportTo}, open("ports", "endpoints", "workloadSelector")...),
		"AuthorizationPolicy": append([]Member{selector, {Name: "action", Holding: one("ALLOW", "DENY", "AUDIT", "CUSTOM")}}, open("rules", "provider", "targetRefs")...),
		"PeerAuthentication":  append([]Member{selector}, open("mtls", "portLevelMtls")...),
		"Sidecar":             open("workloadSelector", "ingress", "egress", "outboundTrafficPolicy"),
		"EnvoyFilter":         append([]Member{text("priority", "")}, open("workloadSelector", "configPatches", "targetRefs")...),
	}
}
